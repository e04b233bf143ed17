// The table: only rows that are in sight are elements. Rows come from a source, choices from the state.

const OVERSCAN = 8;
const TALLEST = 8e6; // browsers draw no taller elements well: then the scroll bar counts in parts
const PRINTED = 500;

class Grid {
  /** `onrows(numbers)` is told which rows are chosen, `onchange()` that filters or order changed. */
  constructor(place, state, source, { onrows, onchange }) {
    Object.assign(this, { state, source, onrows, onchange, total: 0, rowHeight: 28, active: [0, 0], pinned: [] });
    this.columns = element("colgroup");
    this.head = element("thead");
    this.body = element("tbody");
    this.table = element("table", { role: "grid", "aria-multiselectable": "true" }, this.columns, this.head, this.body);
    this.frame = element("div", { class: "grid", tabindex: 0, "aria-label": "Rows; arrows move, space chooses, enter copies" }, this.table);
    this.frame.addEventListener("scroll", () => this.soon());
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.head.addEventListener("input", (event) => this.typed(event.target));
    this.body.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.soon()).observe(this.frame);
    place.append(this.frame);
    addEventListener("beforeprint", () => this.draw(0, Math.min(this.total, PRINTED)));
    addEventListener("afterprint", () => this.render());
  }

  get definition() {
    return this.state.tables[this.state.table];
  }

  /** Show the table of the state from its beginning. */
  async show() {
    this.active = [0, 0];
    this.widths = null;
    await this.refresh();
  }

  /** Ask for the rows anew. */
  async refresh({ stays = false } = {}) {
    const total = await this.source.find(this.state.question);
    if (total === null) return;
    this.total = total;
    if (!this.widths) this.measure();
    this.pinned = await this.source.rowsNumbered(this.state.view.rows, this.state.table);
    if (!stays) this.frame.scrollTop = 0;
    this.active[0] = Math.min(this.active[0], Math.max(0, total - 1));
    this.layout();
    this.onchange(total);
  }

  measure() {
    this.decimals = [];
    this.widths = this.definition.columns.map(({ name, numeric }, place) => {
      const cells = this.source.sample(place);
      this.decimals[place] = numeric ? decimalsOf(cells) : undefined;
      const lengths = cells.map((cell) => shownText(cell, this.decimals[place]).length).sort((a, b) => a - b);
      const usual = lengths[Math.floor(lengths.length * 0.95)] ?? 4;
      return Math.max(7, Math.min(30, Math.max(usual, name.length + 2))) + 1.8;
    });
  }

  /** Draw the head, and then the rows. */
  layout() {
    const places = this.state.columns;
    const { columns } = this.definition;
    const { sort, filters, pinned } = this.state.view;
    this.columns.replaceChildren(element("col", { class: "mark" }), ...places.map(() => element("col")));
    places.forEach((place, n) => (this.columns.children[n + 1].style.width = `${this.widths[place]}ch`));
    const names = element("tr", {}, element("th", { class: "mark pin", scope: "col" }, element("span", { class: "away" }, "Choose")));
    const boxes = element("tr", { class: "filters" }, element("th", { class: "mark pin" }));
    for (const place of places) {
      const { name, numeric, role } = columns[place];
      const rank = sort.findIndex(([other]) => other === place);
      const upwards = rank >= 0 && sort[rank][1];
      const arrow = rank < 0 ? "" : (upwards ? " ↑" : " ↓") + (sort.length > 1 ? rank + 1 : "");
      const head = element("th", {
        scope: "col",
        class: `${role}${numeric ? " number" : ""}`,
        "aria-sort": rank < 0 ? "none" : upwards ? "ascending" : "descending",
      });
      const isPinned = pinned.includes(place);
      head.append(
        button(name, (event) => this.sortBy(place, event.shiftKey), { class: "name", title: `${name}: ${ROLES[role]}`, "data-column": place }),
        element("span", { class: "arrow", "aria-hidden": "true" }, arrow),
        button("⇤", () => this.pinColumn(place), {
          class: "pinner",
          "data-column": place,
          "aria-pressed": String(isPinned),
          "aria-label": `Pin column ${name}`,
          title: isPinned ? "Unpin" : "Pin to the left",
        }),
      );
      names.append(head);
      const box = element("input", {
        type: "text",
        value: filters[place] ?? "",
        placeholder: numeric ? ">0" : "",
        "data-column": place,
        "aria-label": `Filter ${name}`,
        spellcheck: "false",
        autocomplete: "off",
      });
      boxes.append(element("th", {}, box));
    }
    const focused = this.head.contains(document.activeElement) ? document.activeElement : null;
    const [column, caret, which] = [focused?.dataset.column, focused?.selectionStart, focused?.className];
    this.head.replaceChildren(names, boxes, ...this.pinned.map((row) => this.rowElement(row, -1, true)));
    if (column !== undefined) {
      const again = [...this.head.querySelectorAll(`[data-column="${column}"]`)].find((one) => one.className === which);
      again?.focus();
      again?.setSelectionRange?.(caret, caret);
    }
    this.table.setAttribute("aria-rowcount", this.total);
    this.table.setAttribute("aria-colcount", places.length);
    this.stick();
    this.render();
  }

  /** Let pinned columns stay at the left. */
  stick() {
    const { pinned } = this.state.view;
    this.lefts = new Map();
    let left = this.head.querySelector("th.mark").getBoundingClientRect().width;
    this.state.columns.forEach((place, n) => {
      if (!pinned.includes(place)) return;
      this.lefts.set(n, left);
      left += this.columns.children[n + 1].getBoundingClientRect().width || this.widths[place] * 8;
    });
    for (const row of this.head.rows) this.stickRow(row);
  }

  stickRow(row) {
    for (const [n, left] of this.lefts) {
      const cell = row.children[n + 1];
      if (!cell) continue;
      cell.classList.add("pin");
      cell.style.left = `${left}px`;
    }
  }

  soon() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.render();
    });
  }

  /** Return how tall all rows are, as the scroll bar has it. */
  get height() {
    return Math.min(this.total * this.rowHeight, TALLEST);
  }

  /** Draw what is in sight. */
  render() {
    const seen = Math.ceil(this.frame.clientHeight / this.rowHeight) + 1;
    const start = Math.max(0, this.firstSeen() - OVERSCAN);
    this.draw(start, Math.min(this.total, start + seen + 2 * OVERSCAN));
  }

  firstSeen() {
    const whole = this.total * this.rowHeight;
    if (whole <= TALLEST) return Math.floor(this.frame.scrollTop / this.rowHeight);
    const most = Math.max(1, this.height - this.frame.clientHeight);
    return Math.floor(Math.min(1, this.frame.scrollTop / most) * (this.total - this.frame.clientHeight / this.rowHeight));
  }

  draw(start, end) {
    if (!this.definition) return; // there is no table
    const rows = [];
    let isMissing = false;
    for (let place = start; place < end; place++) {
      const row = this.source.row(place);
      isMissing ||= !row;
      rows.push(this.rowElement(row, place, false));
    }
    const drawn = (end - start) * this.rowHeight;
    const isScaled = this.total * this.rowHeight > TALLEST;
    const above = isScaled ? Math.max(0, Math.min(this.frame.scrollTop - OVERSCAN * this.rowHeight, this.height - drawn)) : start * this.rowHeight;
    const spacer = (height) => {
      const cell = element("td", { colspan: this.state.columns.length + 1 });
      cell.style.height = `${Math.max(0, height)}px`;
      return element("tr", { class: "space", "aria-hidden": "true" }, cell);
    };
    if (!this.total) rows.push(element("tr", { class: "none" }, element("td", { colspan: this.state.columns.length + 1 }, "no row passes these filters")));
    this.body.replaceChildren(spacer(above), ...rows, spacer(this.height - above - drawn));
    const height = rows[0]?.getBoundingClientRect().height;
    if (height && Math.abs(height - this.rowHeight) > 0.5 && this.total) {
      this.rowHeight = height;
      this.soon();
    }
    const id = `cell-${this.active[0]}-${this.active[1]}`;
    if (document.getElementById(id)) this.frame.setAttribute("aria-activedescendant", id);
    if (isMissing && end > start) this.source.want(start, end, () => this.soon(), () => say("the server did not answer"));
  }

  rowElement(row, place, isPinned) {
    const { selected, rows } = this.state.view;
    const made = element("tr", { "data-place": place, "aria-rowindex": place + 1, class: isPinned ? "pinned" : "" });
    if (!row) {
      made.append(element("td", { class: "mark" }), element("td", { colspan: this.state.columns.length, class: "faint" }, "…"));
      return made;
    }
    const isChosen = selected.includes(row.n);
    if (isChosen) made.classList.add("chosen");
    made.dataset.number = row.n;
    made.setAttribute("aria-selected", isChosen);
    const letter = isChosen ? "AB"[selected.indexOf(row.n)] : "";
    made.append(
      element(
        "td",
        { class: "mark pin" },
        button(letter || "○", () => this.choose(row), { class: "chooser", tabindex: -1, "aria-label": "Choose row", "aria-pressed": String(isChosen) }),
        button("⇡", () => this.pinRow(row), { class: "pinner", tabindex: -1, "aria-label": "Pin row", "aria-pressed": String(rows.includes(row.n)), title: rows.includes(row.n) ? "Unpin" : "Pin to the top" }),
      ),
    );
    const { columns } = this.definition;
    this.state.columns.forEach((column, n) => {
      const text = shownText(row.cells[column], this.decimals[column]);
      const isActive = !isPinned && place === this.active[0] && n === this.active[1];
      const name = `${columns[column].numeric ? "number" : ""}${isActive ? " active" : ""}`;
      const cell = element("td", { class: name || null, title: text.length > 12 ? textOf(row.cells[column]).slice(0, 2000) : null, id: isPinned ? null : `cell-${place}-${n}` }, text);
      made.append(cell);
    });
    if (this.lefts?.size) this.stickRow(made);
    return made;
  }

  // --- what people do --------------------------------------------------

  sortBy(place, isMore) {
    const { view } = this.state;
    const known = view.sort.find(([other]) => other === place);
    const next = !known ? [place, true] : known[1] ? [place, false] : null;
    const others = isMore ? view.sort.filter(([other]) => other !== place) : [];
    view.sort = next ? [...others, next] : others;
    this.refresh();
  }

  pinColumn(place) {
    const { view } = this.state;
    view.pinned = view.pinned.includes(place) ? view.pinned.filter((other) => other !== place) : [...view.pinned, place];
    this.layout();
  }

  async pinRow(row) {
    const { view } = this.state;
    const { n } = row;
    this.state.note(row);
    view.rows = view.rows.includes(n) ? view.rows.filter((other) => other !== n) : [...view.rows, n];
    this.pinned = await this.source.rowsNumbered(view.rows, this.state.table);
    this.layout();
  }

  /** Choose a row, or let it go; of more than two the newest are kept. */
  choose(row) {
    const { view } = this.state;
    const { n } = row;
    this.state.note(row);
    view.selected = view.selected.includes(n) ? view.selected.filter((other) => other !== n) : [...view.selected, n].slice(-2);
    this.layout();
    this.onrows(view.selected);
  }

  typed(box) {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      const { filters } = this.state.view;
      if (box.value.trim()) filters[box.dataset.column] = box.value;
      else delete filters[box.dataset.column];
      this.refresh();
    }, 120);
  }

  clicked(event) {
    const cell = event.target.closest("td[id]");
    if (!cell) return;
    this.active = cell.id.split("-").slice(1).map(Number);
    this.render();
    const row = this.source.row(this.active[0]);
    if (row && !getSelection().toString()) this.choose(row);
  }

  key(event) {
    if (event.target !== this.frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = this.active;
    const page = Math.max(1, Math.floor(this.frame.clientHeight / this.rowHeight) - 3);
    const last = this.total - 1;
    const places = this.state.columns.length - 1;
    const moves = {
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: [0, column],
      End: [last, column],
    };
    const found = this.source.row(row);
    if (event.key in moves) this.move(moves[event.key].map((to, n) => Math.max(0, Math.min(to, n ? places : last))));
    else if (event.key === " " && found) this.choose(found);
    else if (event.key === "p" && found) this.pinRow(found);
    else if (event.key === "Enter" && found) this.copyCell(found.cells[this.state.columns[column]]);
    else return;
    event.preventDefault();
  }

  copyCell(cell) {
    const value = valuesIn(cell)[0] ?? null;
    copy(pythonLine(value, this.open) ?? textOf(cell));
  }

  move(to) {
    this.active = to;
    const head = this.head.getBoundingClientRect().height;
    const fits = this.frame.clientHeight - head - this.rowHeight;
    if (this.total * this.rowHeight > TALLEST) {
      this.frame.scrollTop = (to[0] / this.total) * (this.height - this.frame.clientHeight);
    } else {
      const top = to[0] * this.rowHeight;
      if (top < this.frame.scrollTop) this.frame.scrollTop = top;
      else if (top > this.frame.scrollTop + fits) this.frame.scrollTop = top - fits;
    }
    this.render();
    this.reveal(to[1]);
  }

  /** Scroll to a column by its position. */
  reveal(position) {
    const cell = this.head.rows[0]?.children[position + 1];
    if (!cell || cell.classList.contains("pin")) return;
    const pinned = Math.max(0, ...[...this.lefts.values()]);
    const left = cell.offsetLeft - pinned - 60;
    const right = cell.offsetLeft + cell.offsetWidth;
    if (left < this.frame.scrollLeft) this.frame.scrollLeft = left;
    else if (right > this.frame.scrollLeft + this.frame.clientWidth) this.frame.scrollLeft = right - this.frame.clientWidth;
  }
}

const ROLES = {
  input: "came from outside",
  between: "made on the way",
  result: "returned",
  call: "about the call",
};
