// What changed since a revision.

const FIRST = 50;

function startChanges(place, data) {
  const { changes } = data;
  const numbers = [
    [changes.changed.count, "with other results"],
    [changes.added.count, "added"],
    [changes.removed.count, "gone"],
    [changes.same, "the same"],
  ];
  place.append(
    element("p", {}, "from ", element("strong", {}, changes.before), " to ", element("strong", {}, changes.after)),
    element("ul", { class: "counts" }, ...numbers.map(([number, words]) => element("li", {}, element("b", {}, number.toLocaleString("en")), ` ${words}`))),
  );
  if (changes.statements) place.append(element("p", {}, `${count(changes.statements, "decision, rename or tag")} added or gone`));
  place.append(...changedCode(data), ...["changed", "added", "removed"].flatMap((kind) => changedCalls(data, kind)));
}

/** Return how the code of ops became another, one diff for each op. */
function changedCode({ changes, versions, contents }) {
  const byOp = new Map();
  for (const one of changes.versions) byOp.set(one.op, [...(byOp.get(one.op) ?? []), one]);
  const parts = [];
  for (const [op, all] of byOp) {
    const [old, fresh] = [all.filter((one) => !one.new), all.filter((one) => one.new)];
    const list = (ones) => ones.map(({ version, calls }) => `${versions[version].id} (${count(calls, "call")})`).join(", ") || "none";
    const body = [element("p", {}, `${list(old)} → ${list(fresh)}`)];
    if (old.length && fresh.length) body.push(...codeDiff(contents, versions[old.at(-1).version].contents, versions[fresh.at(-1).version].contents));
    parts.push(element("details", { open: byOp.size < 4 }, element("summary", {}, op), ...body));
  }
  return parts.length ? [element("h2", {}, "Code"), ...parts] : [];
}

function changedCalls({ changes, open }, kind) {
  const { count: total, rows } = changes[kind];
  if (!total) return [];
  const title = { changed: "Other results", added: "Added", removed: "Gone" }[kind];
  const body = element("tbody");
  const more = button("", () => add());
  const add = () => {
    const start = body.children.length;
    body.append(...rows.slice(start, start + (start ? rows.length : FIRST)).map((row) => changedRow(row, kind, open)));
    const left = rows.length - body.children.length;
    more.hidden = !left;
    more.textContent = `Show ${left} more`;
  };
  add();
  const heads = kind === "changed" ? ["call", "result", "before", "now"] : ["call", "results"];
  const table = element("table", { class: "calls" }, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), body);
  const cut = total > rows.length ? element("p", { class: "faint" }, `the first ${rows.length} of ${total.toLocaleString("en")} are here`) : null;
  return [element("h2", {}, `${title} (${total.toLocaleString("en")})`), table, more, cut].filter(Boolean);
}

function changedRow({ op, inputs, outputs }, kind, open) {
  const shown = inputs.map(([name, cell]) => `${name}=${shownText(cell)}`).join(", ");
  const call = element("td", { title: shown }, element("b", {}, op.split(":").at(-1)), `(${shown.length > 90 ? `${shown.slice(0, 89)}…` : shown})`);
  const value = (cell) => {
    const line = cell === null ? null : pythonLine(cell, open);
    const id = isObject(cell) && "c" in cell ? element("small", {}, ` ${cell.c.slice(0, 6)}`) : null;
    return element("div", {}, cell === null ? "nothing" : shownText(cell), id, line ? button("Python", () => copy(line), { class: "python", title: line }) : null);
  };
  if (kind !== "changed") {
    const side = kind === "added" ? 2 : 1;
    return element("tr", {}, call, element("td", {}, ...outputs.map((output) => element("div", {}, `${output[0]} = `, ...value(output[side]).childNodes))));
  }
  const column = (part) => element("td", {}, ...outputs.map(part));
  return element("tr", {}, call, column(([name]) => element("div", {}, name)), column(([, old]) => value(old)), column(([, , fresh]) => value(fresh)));
}
