"""Keys of a ``datasets:`` entry that Axolotl's ``chat_template`` type knows: what each means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.reading.nulls import nested
from axolotl_alttrain.format.reading.prompt_columns import SYSTEM_COLUMNS

# Axolotl selects and loads the rows with these, or the template.
LOADING = frozenset(
    (
        *("path", "data_files", "name", "split", "revision", "ds_type", "trust_remote_code", "type", "weight"),
        *("shards", "shards_idx", "preprocess_shards", "chat_template", "chat_template_jinja"),
    )
)
# This strategy follows these.
HONOURED = frozenset(
    (
        *("field_messages", "field_tools", "field_thinking", "template_thinking_key", "message_property_mappings"),
        *("message_field_role", "message_field_content", "message_field_training", "roles", "drop_system_message"),
        "split_thinking",
    )
)
# Values that say what this strategy does anyway.
SAME: dict[str, tuple[Any, ...]] = {
    "roles_to_train": (["assistant"], ["gpt"]),
    "train_on_eos": ("turn", "last"),
    "train_on_eot": ("turn", "last"),
}
REFUSED = {
    "roles_to_train": "only the last assistant turn carries loss; remove the key or set it to [assistant]",
    "train_on_eos": "the end of the last turn is always trained, and no other; remove the key or set it to 'turn'",
    "train_on_eot": "the end of the last turn is always trained, and no other; remove the key or set it to 'turn'",
    "message_field_training_detail": "a turn is trained whole or not at all; remove the key",
    "default_system_message": "no system prompt is added to a row; write it into a column 'system'",
    "eot_tokens": "it is a key of the whole config; move it out of the entry",
    "logprobs_field": "there is no distillation here; remove the key",
    "temperature": "there is no distillation here; remove the key",
    "conversation": "the chat template writes the conversation; remove the key",
    "input_format": "the chat template writes the prompt; remove the key",
    "input_transform": "rows are read as they are; remove the key",
    "field": "it is for 'type: completion'; remove the key",
    "field_human": "rows are read by their own columns; remove the key, or use 'message_property_mappings'",
    "field_model": "rows are read by their own columns; remove the key, or use 'message_property_mappings'",
}
_ROLES = {"human": "user", "gpt": "assistant"}  # Axolotl's, in addition to the roles themselves
_UNSET: tuple[Any, ...] = (None, False, "", [], {})


def check_entry(entry: Mapping[str, Any]) -> None:
    """Check the keys of one entry, as written.

    Raises:
        AltTrainError: A key would be ignored; the message names it.
    """
    for key, value in entry.items():
        if key in LOADING or key in HONOURED or value in _UNSET or value in SAME.get(key, ()):
            continue
        reason = REFUSED.get(key, "neither Axolotl nor this strategy knows the key; correct or remove it")
        raise AltTrainError(f"datasets: {entry.get('path')}: '{key}' has no effect with 'type: alttrain': {reason}")


@dataclass(frozen=True)
class EntryKeys:
    """How the rows of one entry name their fields.

    Attributes:
        messages, tools: Names of the columns.
        properties: Names of the message fields, as (ours, theirs).
        roles: Names of the roles, as (theirs, ours).
        training: Name of the mark that takes a turn out of the loss; None for the usual ones.
        drop_system: Whether the system prompt is removed: a leading turn, or the column.
    """

    messages: str = "messages"
    tools: str = "tools"
    properties: tuple[tuple[str, str], ...] = ()
    roles: tuple[tuple[str, str], ...] = tuple(_ROLES.items())
    training: str | None = None
    drop_system: bool = False

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> EntryKeys:
        """The names that an entry gives, raw or validated."""
        properties = dict(entry.get("message_property_mappings") or {})
        for name in ("role", "content"):
            properties.setdefault(name, entry.get(f"message_field_{name}") or name)
        thinking = entry.get("template_thinking_key") or "reasoning_content"
        properties.setdefault(thinking, entry.get("field_thinking") or thinking)
        roles = {theirs: ours for ours, all_ in (entry.get("roles") or {}).items() for theirs in all_}
        return cls(
            messages=entry.get("field_messages") or "messages",
            tools=entry.get("field_tools") or "tools",
            properties=tuple((ours, theirs) for ours, theirs in properties.items() if ours != theirs),
            roles=tuple((roles or _ROLES).items()),
            training=entry.get("message_field_training") or None,
            drop_system=bool(entry.get("drop_system_message")),
        )

    def apply(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row under this package's names.

        Raises:
            RowError: ``messages`` is text, but not JSON, or a turn has a field under both names.
        """
        messages = row.get(self.messages)
        other_turns = [name for name in ("instruction", "history") if isinstance(row.get(name), list)]
        renamed_columns = (self.messages, self.tools) != ("messages", "tools")
        if messages is None and not other_turns and not renamed_columns and not self.drop_system:
            return row
        renamed = {name: value for name, value in row.items() if name not in (self.messages, self.tools)}
        for ours, theirs in (("messages", self.messages), ("tools", self.tools)):
            if ours != theirs and ours in renamed:
                renamed[f"{ours} beside {theirs}"] = renamed.pop(ours)
        if row.get(self.tools) is not None:
            renamed["tools"] = row[self.tools]
        if messages is not None:
            renamed["messages"] = self._turns(nested(self.messages, messages))
        renamed |= {name: self._turns(row[name]) for name in other_turns}
        dropped = SYSTEM_COLUMNS if self.drop_system else ()
        return {name: value for name, value in renamed.items() if name not in dropped}

    def _turns(self, messages: Any) -> Any:
        if not isinstance(messages, Sequence) or isinstance(messages, str):
            return messages
        turns = [self._turn(turn) if isinstance(turn, Mapping) else turn for turn in messages]
        first = turns[0] if turns else None
        return turns[1:] if self.drop_system and isinstance(first, Mapping) and first.get("role") == "system" else turns

    def _turn(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        taken = {theirs for _, theirs in self.properties}
        named = {key: value for key, value in turn.items() if key not in taken}
        for ours, theirs in self.properties:
            if named.get(ours) and turn.get(theirs) is not None:
                raise RowError("messages", f"has a turn with both '{ours}' and '{theirs}'", "keep one of the two")
        named |= {ours: turn[theirs] for ours, theirs in self.properties if turn.get(theirs) is not None}
        role = named.get("role")
        if isinstance(role, str):
            named["role"] = dict(self.roles).get(role, role)
        return named
