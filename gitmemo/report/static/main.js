// The page: its head, its tabs, the bar above the table; and news, where a server sent it.

const POLL_MS = 1000;
const started = performance.now();
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);

const state = new State(data.tables, data.first, Boolean(data.served));
const source = data.served ? new RemoteSource(data.served.edition, () => news("There is a newer page.")) : new LocalSource(data.tables);
const bar = { counted: element("span", { class: "counted", role: "status" }) };

function drawHead() {
  const commit = data.dirty ? element("span", { class: "dirty" }, "files differ from the commit") : null;
  const facts = [data.where, count(data.calls, "call"), `made ${data.made}`].map((text) => element("span", {}, text));
  at("head").append(element("h1", {}, data.title), element("p", { class: "facts" }, ...facts, commit));
  if (data.notes.length) at("head").append(element("ul", { class: "notes" }, ...data.notes.map((note) => element("li", {}, note))));
}

// --- tabs ----------------------------------------------------------------

const TABS = { table: "Table", graph: "Graph", plot: "Plot", changes: "Changes" };

function drawTabs() {
  const names = Object.keys(TABS).filter((name) => name !== "changes" || data.changes);
  for (const name of names) {
    at("tabs").append(button(TABS[name], () => openTab(name), { role: "tab", id: `tab-${name}`, "aria-controls": name }));
    at(name).setAttribute("aria-labelledby", `tab-${name}`);
  }
  at("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = names[(names.indexOf(state.tab) + step + names.length) % names.length];
    openTab(next);
    at(`tab-${next}`).focus();
  });
}

function openTab(name) {
  if (name === "changes" && !data.changes) name = "table";
  state.tab = name;
  for (const tab of at("tabs").children) {
    const isOpen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
    at(tab.getAttribute("aria-controls")).hidden = !isOpen;
  }
  if (name === "table") grid.soon();
  if (name === "plot" && data.tables.length) plot.show();
}

// --- the bar above the table ---------------------------------------------

function drawBar() {
  const names = data.tables.map(({ name, rows }) => `${name} (${rows.toLocaleString("en")})`);
  bar.chooser = element("select", { "aria-label": "Table", onchange: () => openTable(Number(bar.chooser.value)) });
  bar.chooser.append(...names.map((name, n) => element("option", { value: n }, name)));
  bar.text = element("input", { type: "search", placeholder: "Search", "aria-label": "Search all columns", oninput: searched });
  bar.constant = button("", () => toggleConstant(), { "aria-pressed": "false" });
  bar.own = button("", () => toggleOwn(), { "aria-pressed": "false" });
  bar.columns = element("details", { class: "menu" }, element("summary", {}, "Columns"), element("div"));
  bar.clear = button("Clear", () => clearAll(), { title: "Without filters, order and search" });
  const help = element("details", { class: "menu" }, element("summary", {}, "Help"), helpText());
  at("table").prepend(element("div", { class: "bar" }, bar.chooser, bar.text, bar.own, bar.constant, bar.columns, bar.clear, help, bar.counted));
  for (const menu of [bar.columns, help]) menu.addEventListener("toggle", () => keepInSight(menu.lastElementChild));
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
}

/** Move what a menu shows to the left until all of it is in the window. */
function keepInSight(box) {
  box.style.left = "0";
  box.style.left = `${Math.min(0, document.documentElement.clientWidth - 8 - box.getBoundingClientRect().right)}px`;
}

function helpText() {
  const lines = [
    ["tree", "cells with this in them"],
    [">0.9  <=3  0.1..0.5", "numbers; > and < compare texts too"],
    ["=tree  !=tree", "just this; anything else"],
    ["=  !=", "gaps; no gaps"],
    ["shift + click on a name", "sorts by one more column"],
    ["arrows, space, p, enter", "in the table: move, choose a row, pin it, copy the line that loads the value"],
  ];
  const rows = lines.map(([typed, words]) => element("tr", {}, element("td", {}, element("code", {}, typed)), element("td", {}, words)));
  return element("div", {}, element("table", {}, ...rows));
}

let searching = 0;
function searched() {
  clearTimeout(searching);
  searching = setTimeout(() => {
    state.view.text = bar.text.value;
    grid.refresh();
  }, 120);
}

function toggleConstant() {
  state.view.withConstant = !state.view.withConstant;
  grid.layout();
  drawChoices();
}

function toggleOwn() {
  state.view.ownOnly = !state.view.ownOnly;
  grid.layout();
  drawChoices();
}

function clearAll() {
  Object.assign(state.view, { text: "", filters: {}, sort: [] });
  bar.text.value = "";
  grid.refresh();
}

/** Say which columns there are, and how many rows. */
function drawChoices() {
  const { columns } = state.tables[state.table];
  const constant = columns.filter((column) => column.constant && column.role !== "call").length;
  bar.constant.hidden = !constant || state.tables[state.table].rows < 2;
  bar.constant.textContent = `${state.view.withConstant ? "Hide" : "Show"} ${count(constant, "constant column")}`;
  bar.constant.setAttribute("aria-pressed", String(state.view.withConstant));
  bar.own.hidden = columns.every((column) => column.own);
  bar.own.textContent = state.view.ownOnly ? "Show what led there" : "Hide what led there";
  bar.own.setAttribute("aria-pressed", String(state.view.ownOnly));
  const choices = columns.map(({ name, role }, place) => {
    const box = element("input", { type: "checkbox", onchange: () => ((state.view.chosen[place] = box.checked), grid.layout()) });
    box.checked = state.isShown(place);
    return element("label", {}, box, ` ${name} `, element("small", {}, ROLES[role]));
  });
  bar.columns.lastElementChild.replaceChildren(...choices);
}

function counted(total) {
  const { rows } = state.tables[state.table];
  bar.counted.textContent = total === rows ? count(rows, "row") : `${total.toLocaleString("en")} of ${count(rows, "row")}`;
  const { sort, filters, text } = state.view;
  bar.clear.disabled = !sort.length && !Object.keys(filters).length && !text;
}

async function openTable(number) {
  state.table = number;
  bar.chooser.value = number;
  bar.text.value = state.view.text;
  drawChoices();
  const gone = await state.findRows(source);
  if (gone) say(`${count(gone, "row")} that you had chosen or pinned ${gone === 1 ? "is" : "are"} not there any more`);
  await grid.show();
  await panel.show(state.view.selected);
}

/** Show what a node of the graph stands for. */
async function showNode({ op, column }) {
  const has = (table) => (op === undefined ? table.columns.some(({ name }) => name === column) : table.op === op);
  if (!has(state.tables[state.table]) || op !== undefined) {
    const found = data.tables.findIndex(has);
    if (found < 0) return say("no table has it");
    await openTable(found);
  }
  openTab("table");
  if (column === undefined) return grid.frame.focus();
  const place = state.tables[state.table].columns.findIndex(({ name }) => name === column);
  state.view.chosen[place] = true;
  drawChoices();
  grid.layout();
  grid.reveal(state.columns.indexOf(place));
  at("table").querySelector(`input[data-column="${place}"]`)?.focus();
}

// --- news ----------------------------------------------------------------

function news(text, isDown = false) {
  const again = isDown ? null : button("Show it", () => location.reload());
  at("news").replaceChildren(element("span", {}, text), ...(again ? [again] : []));
  at("news").hidden = !text;
}


/** Whether somebody is in the middle of something that a reload would end. */
function isBusy() {
  if (!data.tables.length) return false;
  const typing = document.activeElement?.matches("input, select, [open] *") && document.activeElement.value;
  return state.view.selected.length || typing || document.querySelector("details.menu[open]") || getSelection().toString();
}

async function poll(tag) {
  try {
    const answer = await fetch("/news", { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
    if (answer.status === 403) return news("The server was started again: open the address that it printed.", true);
    if (answer.status === 200) {
      const { edition, old, problem } = await answer.json();
      tag = answer.headers.get("ETag");
      if (problem) news(`What is shown may be old: ${problem}`, true);
      else if (!old && edition === data.served.edition) news("");
      else if (isBusy() || document.hidden) news("There are newer results.");
      else return location.reload();
    } else if (!at("news").hidden && !isBusy() && !document.hidden && at("news").querySelector("button")) return location.reload();
  } catch {
    news("The server does not answer. What is shown stays as it is.", true);
    tag = null;
  }
  setTimeout(() => poll(tag), POLL_MS);
}

// --- all together --------------------------------------------------------

const onrows = (numbers) => panel.show(numbers);
const grid = new Grid(at("table"), state, source, { onrows, onchange: counted });
grid.open = data.open;
const panel = new Panel(at("panel"), data, state, source, grid);
const plot = new Plot(at("plot"), state, source, async (n) => {
  const [row] = await source.rowsNumbered([n], state.table);
  state.note(row);
  state.view.selected = [n];
  await panel.show([n]);
});

async function start() {
  drawHead();
  drawTabs();
  startGraph(at("graph"), data.nodes, showNode);
  if (data.changes) startChanges(at("changes"), data);
  if (!data.tables.length) {
    at("table").replaceChildren(element("p", { class: "empty" }, "There are no calls to show."));
  } else {
    drawBar();
    await openTable(state.table);
    if (state.scroll) [grid.frame.scrollLeft, grid.frame.scrollTop] = state.scroll;
  }
  openTab(state.tab);
  addEventListener("pagehide", () => state.keep([grid.frame.scrollLeft, grid.frame.scrollTop]));
  if (data.served) {
    if (data.served.problem) news(`What is shown may be old: ${data.served.problem}`, true);
    setTimeout(() => poll(null), POLL_MS);
  }
  document.documentElement.dataset.ready = Math.round(performance.now() - started);
}

start();
