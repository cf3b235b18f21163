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
    for (const value of [...new Set(values)].sort()) field(name).append(new Option(value, value));
  };
  fill("set", rows.map((row) => row.set));
  fill("scenario", rows.map((row) => row.scenario));
  fill("outcome", rows.flatMap((row) => row.runs.map((run) => run.run + ": " + run.outcome)));
  fill("judge", rows.flatMap((row) => row.runs.flatMap((run) =>
    Object.entries(run.judges).filter(([, verdict]) => verdict).map(([judge, verdict]) => judge + ": " + verdict))));

  const matches = (row) => {
    const [set, scenario, outcome, judge, differ] =
      ["set", "scenario", "outcome", "judge", "differ"].map((name) => field(name).value);
    const words = field("text").value.toLowerCase();
    return (!set || row.set === set) && (!scenario || row.scenario === scenario) &&
      (!outcome || row.runs.some((run) => run.run + ": " + run.outcome === outcome)) &&
      (!judge || row.runs.some((run) => Object.entries(run.judges).some(([j, v]) => j + ": " + v === judge))) &&
      (!differ || row[differ]) &&
      (!words || [row.instruction, ...row.runs.flatMap((run) => [run.thought, run.answer])]
        .some((text) => (text || "").toLowerCase().includes(words)));
  };
  const card = (row) => {
    const made = element("div", undefined, "sample");
    const head = element("div", row.instruction + " ");
    for (const tag of [row.set, row.scenario, row.category]) if (tag) head.append(element("span", tag, "tag"), " ");
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
      `${found.length} of ${rows.length} prompts, page ${page + 1} of ${pages}`;
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page === pages - 1;
  };
  for (const name of ["set", "scenario", "outcome", "judge", "differ", "text"])
    field(name).addEventListener("input", () => { page = 0; show(); });
  document.getElementById("previous").addEventListener("click", () => { page -= 1; show(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; show(); });
  show();
})();
