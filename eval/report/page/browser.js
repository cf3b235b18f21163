"use strict";
// Every text is set through textContent, so nothing a model wrote is parsed.
(async () => {
  const field = (name) => document.getElementById("filter-" + name);
  const list = document.getElementById("sample-list");
  const count = document.getElementById("sample-count");
  const size = 20;
  let page = 0;

  // Plain JSON, or gzipped JSON in base64.
  const read = async () => {
    const text = document.getElementById("samples").textContent.trim();
    if (text.startsWith("[")) return JSON.parse(text);
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  let rows;
  try {
    rows = await read();
  } catch (error) {
    count.textContent = "This browser cannot decompress the samples (" + error.message + "). They are also in scored.jsonl.";
    return;
  }

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  // Without a thought there is no verdict to show.
  const assessed = (run) => ((run.thought || "").trim() ? run.verdict ?? "none" : "no thought");
  const judged = (run) => Object.entries(run.judges).filter(([, verdict]) => verdict);
  // The values of a row for each filter with a list; filters that the page lacks are left out.
  const offers = {
    pair: (row) => [row.pair],
    metric: (row) => [row.metric],
    direction: (row) => [row.direction],
    change: (row) => [row.change],
    set: (row) => [row.set],
    scenario: (row) => (row.scenario ? [row.scenario] : []),
    outcome: (row) => row.runs.map((run) => run.run + ": " + run.outcome),
    judge: (row) => row.runs.flatMap((run) => judged(run).map(([judge, said]) => `${run.run}: ${judge}: ${said}`)),
    verdict: (row) => row.runs.map((run) => `${run.run}: ${assessed(run)}`),
    differ: (row) => ["runs_differ", "judges_differ"].filter((name) => row[name]),
  };
  const names = Object.keys(offers).filter(field);
  for (const name of names) {
    if (name === "differ") continue; // its choices are in the page
    const values = [...new Set(rows.flatMap(offers[name]))];
    values.sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    for (const value of values) field(name).append(new Option(value, value));
  }
  const matches = (row) => {
    const words = field("text").value.toLowerCase();
    return names.every((name) => !field(name).value || offers[name](row).includes(field(name).value)) &&
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
      const all = judged(run); // a single judge's verdict is the outcome
      const said = all.length > 1 ? all.map(([judge, verdict]) => `${judge}: ${verdict}`).join(", ") : "";
      const verdict = assessed(run) === "no thought" ? "no thought" : `verdict in the thought: ${assessed(run)}`;
      folded.append(element("summary", `${run.run}: ${run.outcome} (${verdict}${said && "; judges: " + said})`));
      if (run.thought) folded.append(element("h3", "thought"), element("pre", run.thought, "soft"));
      if (run.budgeted) folded.append(element("p", "The thought reached its limit and was closed.", "soft"));
      folded.append(element("h3", "answer"), element("pre", run.answer || "(none)"));
      made.append(folded);
    }
    return made;
  };
  const show = () => {
    const found = rows.filter(matches);
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    list.replaceChildren(...found.slice(page * size, (page + 1) * size).map(card));
    count.textContent = `${found.length} of ${rows.length} ${list.dataset.unit || "prompts"}, page ${page + 1} of ${pages}`;
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page === pages - 1;
  };
  const again = () => { page = 0; show(); };
  // Not the text field's "change": it fires on the click that opens an entry, and would close it again.
  for (const name of names) field(name).addEventListener("change", again);
  field("text").addEventListener("input", again);
  document.getElementById("previous").addEventListener("click", () => { page -= 1; show(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; show(); });
  show();
})();
