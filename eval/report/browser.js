"use strict";
// Every text is set by textContent: what a model wrote is shown, never parsed.
(() => {
  const rows = JSON.parse(document.getElementById("samples").textContent);
  const field = (name) => document.getElementById("filter-" + name);
  const list = document.getElementById("sample-list");
  const size = 20;
  let page = 0;

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const fill = (name, values) => {
    const inOrder = (a, b) => a.localeCompare(b, undefined, { numeric: true });
    for (const value of [...new Set(values)].sort(inOrder)) field(name).append(new Option(value, value));
  };
  // What each filter looks at in a row; a page has those of them that it has fields for.
  const judged = (run) => Object.entries(run.judges || {}).filter(([, verdict]) => verdict);
  const facets = {
    pair: (row) => [row.pair],
    metric: (row) => [row.metric],
    direction: (row) => [row.direction],
    set: (row) => [row.set],
    scenario: (row) => [row.scenario],
    change: (row) => [row.change],
    outcome: (row) => row.runs.map((run) => run.run + ": " + run.outcome),
    judge: (row) => row.runs.flatMap((run) => judged(run).map(([judge, verdict]) => judge + ": " + verdict)),
    differ: (row) => ["runs_differ", "judges_differ"].filter((name) => row[name]),
  };
  const used = Object.keys(facets).filter(field);
  for (const name of used) if (field(name).options.length < 2) fill(name, rows.flatMap(facets[name]));

  const matches = (row) => {
    const words = field("text").value.toLowerCase();
    return used.every((name) => !field(name).value || facets[name](row).includes(field(name).value)) &&
      (!words || [row.instruction, ...row.runs.flatMap((run) => [run.thought, run.answer])]
        .some((text) => (text || "").toLowerCase().includes(words)));
  };
  const card = (row) => {
    const made = element("div", undefined, "sample");
    const head = element("div", row.instruction + " ");
    for (const tag of [row.metric, row.change, row.direction, row.set, row.scenario, row.category])
      if (tag) head.append(element("span", tag, "tag"), " ");
    made.append(head);
    for (const run of row.runs) {
      const folded = element("details");
      folded.append(element("summary", `${run.run}: ${run.outcome}, verdict ${run.verdict ?? "none"}`));
      if (run.thought) folded.append(element("pre", run.thought, "soft"));
      folded.append(element("pre", run.answer || "(no answer)"));
      made.append(folded);
    }
    return made;
  };
  const show = () => {
    const found = rows.filter(matches);
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    list.replaceChildren(...found.slice(page * size, (page + 1) * size).map(card));
    document.getElementById("sample-count").textContent =
      `${found.length} of ${rows.length} ${list.dataset.unit || "prompts"}, page ${page + 1} of ${pages}`;
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page === pages - 1;
  };
  const filter = () => { page = 0; show(); };
  for (const name of used) field(name).addEventListener("change", filter);
  field("text").addEventListener("input", filter); // its "change" comes with the click on a fold, and would undo it
  document.getElementById("previous").addEventListener("click", () => { page -= 1; show(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; show(); });
  show();
})();
