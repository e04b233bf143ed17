// Details of one row, or two rows side by side, with the code behind them.

class Panel {
  constructor(place, data, state, source, grid) {
    Object.assign(this, { place, data, state, source, grid });
    place.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  async show(numbers) {
    const rows = numbers.length ? await this.source.rowsNumbered(numbers, this.state.table) : [];
    this.place.hidden = !rows.length;
    if (rows.length === 1) this.fill("One row", this.one(rows[0]));
    else if (rows.length === 2) this.fill("Two rows", this.two(...rows));
    this.grid.soon();
  }

  close() {
    this.state.view.selected = [];
    this.place.hidden = true;
    this.grid.layout();
    this.grid.frame.focus();
  }

  fill(title, parts) {
    const head = element("header", {}, element("h2", {}, title), button("Close", () => this.close()));
    this.place.replaceChildren(head, ...parts);
    this.place.scrollTop = 0;
  }

  get columns() {
    return this.grid.definition.columns.map((column, place) => ({ ...column, place }));
  }

  one(row) {
    const parts = [element("p", { class: "faint" }, "Choose a second row to compare the two.")];
    for (const role of ["result", "input", "between", "call"]) {
      const columns = this.columns.filter((column) => column.role === role);
      if (!columns.length) continue;
      const table = element("table", { class: "facts" });
      for (const { name, place } of columns) table.append(element("tr", {}, element("th", { scope: "row" }, name), this.value(row.cells[place])));
      parts.push(element("h3", {}, TITLES[role]), table);
    }
    return [...parts, element("h3", {}, "Code"), ...this.codeOf(row)];
  }

  two(one, other) {
    const differs = this.columns.filter(({ place }) => !isSame(one.cells[place], other.cells[place]));
    const about = differs.filter(({ role }) => role === "call");
    const values = differs.filter(({ role }) => role !== "call");
    const same = this.columns.filter((column) => !differs.includes(column) && column.role !== "call");
    const parts = [element("h3", {}, values.length ? "What differs" : "No value differs"), this.beside(values, one, other)];
    parts.push(element("h3", {}, "Code"), ...this.compared(one, other));
    const folded = (title, columns) =>
      columns.length ? element("details", {}, element("summary", {}, `${title} (${columns.length})`), this.beside(columns, one, other)) : null;
    return [...parts, folded("The same in both", same), folded("About the calls", about)].filter(Boolean);
  }

  beside(columns, one, other) {
    if (!columns.length) return "";
    const head = element("tr", {}, element("th"), element("th", { scope: "col" }, "A"), element("th", { scope: "col" }, "B"));
    const table = element("table", { class: "facts beside" }, element("thead", {}, head));
    for (const role of ["input", "between", "result", "call"]) {
      for (const { name, place, role: own } of columns) {
        if (own !== role) continue;
        const cells = [one.cells[place], other.cells[place]];
        const right = this.value(cells[1]);
        const numbers = cells.map((cell) => (cell === null ? undefined : numberIn(cell)));
        if (numbers.every((number) => number !== undefined && Number.isFinite(number)) && numbers[0] !== numbers[1]) {
          const gap = numbers[1] - numbers[0];
          right.append(element("small", { class: "gap" }, `${gap > 0 ? "+" : "−"}${String(Number(Math.abs(gap).toPrecision(6)))}`));
        }
        table.append(element("tr", {}, element("th", { scope: "row", title: ROLES[role] }, name), this.value(cells[0]), right));
      }
    }
    return table;
  }

  /** Return a value in full, with what loads it. */
  value(cell) {
    const made = element("td");
    const values = valuesIn(cell);
    if (!values.length) made.append(element("span", { class: "faint" }, "nothing"));
    for (const value of values.slice(0, 20)) {
      const isStored = isObject(value) && "s" in value;
      made.append(element("span", { class: `value${isStored ? " faint" : ""}` }, isStored ? `<${textOf(value)}>` : textOf(value)));
      const line = pythonLine(value, this.data.open);
      if (line) made.append(button("Python", () => copy(line), { class: "python", title: line, "aria-label": "Copy a line of Python that loads it" }));
    }
    if (values.length > 20) made.append(element("p", { class: "faint" }, `and ${values.length + (cell.more ?? 0) - 20} more`));
    return made;
  }

  versionsOf(row) {
    return this.grid.definition.codes[row.code].map((number) => this.data.versions[number]);
  }

  codeOf(row) {
    const parts = this.versionsOf(row).map((version) => {
      const texts = version.contents.map((place) => {
        const { component, text } = this.data.contents[place];
        return [element("h4", {}, component), element("pre", {}, text ?? "its text is not known on this machine")];
      });
      return element("details", {}, element("summary", {}, `${version.op} `, element("code", {}, version.id)), ...texts.flat());
    });
    return parts.length ? parts : [element("p", { class: "faint" }, "No version was recorded.")];
  }

  compared(one, other) {
    const byOp = (row) => {
      const found = new Map();
      for (const version of this.versionsOf(row)) found.set(version.op, [...(found.get(version.op) ?? []), version]);
      return found;
    };
    const [before, after] = [byOp(one), byOp(other)];
    const parts = [];
    for (const op of new Set([...before.keys(), ...after.keys()])) {
      const [old, fresh] = [before.get(op) ?? [], after.get(op) ?? []];
      const ids = [old, fresh].map((versions) => versions.map(({ id }) => id).join(", ") || "none");
      if (ids[0] === ids[1]) {
        parts.push(element("p", { class: "faint" }, `${op}: the same code, ${ids[0]}`));
        continue;
      }
      parts.push(element("p", {}, `${op}: `, element("code", {}, ids[0]), " → ", element("code", {}, ids[1])));
      const contents = (versions) => versions.flatMap((version) => version.contents);
      parts.push(...codeDiff(this.data.contents, contents(old), contents(fresh)));
    }
    return parts.length ? parts : [element("p", { class: "faint" }, "No version was recorded.")];
  }
}

const TITLES = { result: "Results", input: "From outside", between: "On the way", call: "The call" };
