"""The walkthrough's source: Markdown in which fences named ``run``, ``screenshot`` and ``insert`` are carried out.

    ```run name=train grep="probe at|saved" took       commands, shown with what they said
    ```screenshot report.png page=outputs/…/report.html alt="…"    a page in Chromium; a script may follow in the fence
    ```insert image=curves.png from=outputs/…/curves.png alt="…"   a picture that a command made
    ```insert markdown=outputs/…/results.md                        a Markdown file as it is

Pictures are written beside the page, ``image`` is their path from there. Every other fence stays as it stands.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from axolotl_alttrain.errors import AltTrainError
from docs.screenshots import Camera, Shot

_FENCE = re.compile(r"^```(run|screenshot|insert)\b([^\n]*)\n(.*?)^```[ ]*\n", re.M | re.S)
_FLAGS = {"took", "quiet", "dark"}
_ALLOWED = {
    "run": {"name", "grep", "head", "tail", "took", "quiet"},
    "screenshot": {"image", "page", "alt", "size", "at", "dark"},
    "insert": {"image", "from", "alt", "markdown"},
}


@dataclass(frozen=True)
class Text:
    """Markdown that stays as it is."""

    text: str

    def expected(self) -> str:
        """Pattern of what it becomes on the page."""
        return re.escape(self.text)


@dataclass(frozen=True)
class Run:
    """Commands for bash, and what is shown of their output."""

    line: int
    name: str
    commands: str
    grep: str | None = None
    head: int | None = None
    tail: int | None = None
    took: bool = False
    quiet: bool = False

    @property
    def title(self) -> str:
        """What to call it while it runs."""
        return f"line {self.line}, {self.name}"

    def expected(self) -> str:
        """Pattern of what it becomes on the page: the commands exactly, any output."""
        output = "" if self.quiet else r"(?:\n```text\n(?:(?!```).*\n)+?```\n)?"
        time = r"\n\*(?:\d+ min )?\d+ s\*\n" if self.took else ""
        return re.escape(f"```bash\n{self.commands}\n```\n") + output + time


@dataclass(frozen=True)
class Screenshot:
    """A page as Chromium shows it; with ``dark`` also as a reader sees it who prefers that."""

    shot: Shot
    alt: str
    dark: bool = False

    @property
    def title(self) -> str:
        """What to call it while it is taken."""
        return self.shot.image

    def written(self, root: Path, camera: Camera) -> str:
        """Take it; returns the Markdown that shows it."""
        camera.take(self.shot)
        if self.dark:
            camera.take(replace(self.shot, image=_dark(self.shot.image), dark=True))
        return self._markdown()

    def expected(self) -> str:
        """Pattern of what it becomes on the page."""
        return re.escape(self._markdown())

    def _markdown(self) -> str:
        if not self.dark:
            return _picture(self.alt, self.shot.image)
        source = f'<source media="(prefers-color-scheme: dark)" srcset="{_dark(self.shot.image)}">'
        return f'<picture>{source}<img alt="{self.alt}" src="{self.shot.image}"></picture>\n'


@dataclass(frozen=True)
class Insert:
    """A file that a command made: a picture, or Markdown as it is."""

    source: Path
    image: str | None = None
    alt: str = ""

    @property
    def title(self) -> str:
        """What to call it."""
        return self.source.name

    def written(self, root: Path, camera: Camera) -> str:
        """Copy the picture beside the page, or return the Markdown."""
        if self.image is None:
            return (root / self.source).read_text(encoding="utf-8").strip() + "\n"
        target = camera.beside / self.image
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / self.source, target)
        return _picture(self.alt, self.image)

    def expected(self) -> str:
        """Pattern of what it becomes on the page."""
        return r"(?:.*\n)+?" if self.image is None else re.escape(_picture(self.alt, self.image))


Block: TypeAlias = Text | Run | Screenshot | Insert


def parse(source: str) -> list[Block]:
    """The source's pieces in order.

    Raises:
        AltTrainError: A fence has an option that is not known, or lacks one; its line is named.
    """
    pieces: list[Block] = []
    end = 0
    for found in _FENCE.finditer(source):
        if found.start() > end:
            pieces.append(Text(source[end : found.start()]))
        end = found.end()
        line = source.count("\n", 0, found.start()) + 1
        pieces.append(_block(found[1], found[2], found[3].rstrip("\n"), line))
    if source[end:]:
        pieces.append(Text(source[end:]))
    return pieces


def _block(kind: str, options: str, body: str, line: int) -> Block:
    given: dict[str, str] = {}
    for word in shlex.split(options):
        name, equals, value = word.partition("=")
        if name not in _ALLOWED[kind] or bool(equals) is (name in _FLAGS):
            raise AltTrainError(f"line {line}: '{word}' is no option of {kind}; it knows {_known(kind)}")
        given[name] = value
    try:
        if kind == "run":
            head, tail = (int(given[name]) if name in given else None for name in ("head", "tail"))
            name = given.get("name", "block")
            return Run(line, name, body, given.get("grep"), head, tail, "took" in given, "quiet" in given)
        if kind == "screenshot":
            width, _, height = given.get("size", "1000x800").partition("x")
            shot = Shot(given["image"], Path(given["page"]), (int(width), int(height)), given.get("at"), body)
            return Screenshot(shot, given["alt"], "dark" in given)
        if "image" in given:
            return Insert(Path(given["from"]), given["image"], given["alt"])
        return Insert(Path(given["markdown"]))
    except KeyError as error:
        raise AltTrainError(f"line {line}: {kind} needs {error}") from None
    except ValueError as error:
        raise AltTrainError(f"line {line}: {error}") from None


def _known(kind: str) -> str:
    return ", ".join(name if name in _FLAGS else f"{name}=" for name in sorted(_ALLOWED[kind]))


def _dark(image: str) -> str:
    return f"{image.removesuffix('.png')}-dark.png"


def _picture(alt: str, image: str) -> str:
    return f"![{alt}]({image})\n"


def pictures(page: str) -> list[str]:
    """Every picture that the page shows, as a path beside it."""
    return re.findall(r'(?:!\[[^]]*\]\(|src="|srcset=")([^)"]+)', page)


def mismatches(pieces: list[Block], page: str, folder: Path) -> list[str]:
    """Why a page cannot have been made from the source; empty if it can.

    Text and commands must stand there as the source has them, in order and with nothing but output between; every
    picture must exist in ``folder``. Whether the output is what the commands would say today is not known.
    """
    wrong, at = [], 0
    for number, piece in enumerate([*pieces, None]):
        pattern = r"\Z" if piece is None else piece.expected()
        if isinstance(piece, Insert) and piece.image is None and number + 1 < len(pieces):
            pattern += f"(?={pieces[number + 1].expected()})"  # of any length: it ends where the next piece begins
        found = re.compile(pattern).match(page, at)
        if found is None:
            line = page.count("\n", 0, at) + 1
            wrong.append(f"what begins at line {line} of the page is not what the source says: {_first_line(piece)}")
            break
        at = found.end()
    for image in pictures(page):
        if not (folder / image).is_file():
            wrong.append(f"{image} is missing")
    return wrong


def _first_line(piece: Block | None) -> str:
    if piece is None:
        return "nothing more"
    text = piece.text if isinstance(piece, Text) else piece.commands if isinstance(piece, Run) else repr(piece)
    return text.strip().partition("\n")[0]
