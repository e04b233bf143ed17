// What somebody chose: the table, its filters, order, columns and rows. It outlives a reload of a served page.
//
// What is kept names ops, columns and calls: in the page that comes next they may have other places.

const KEPT = "gitmemo";

class State {
  constructor(tables, first, isKept) {
    this.tables = tables;
    this.isKept = isKept;
    this.table = first;
    this.tab = "table";
    this.views = tables.map(() => freshView());
    if (isKept) this.recall();
  }

  get view() {
    return this.views[this.table];
  }

  get question() {
    const { text, filters, sort } = this.view;
    return { table: this.table, text, filters: Object.entries(filters).map(([c, typed]) => [Number(c), typed]), sort };
  }

  /** Return the columns that are shown, in order: pinned ones first. */
  get columns() {
    const { columns } = this.tables[this.table];
    const shown = columns.map((_, place) => place).filter((place) => this.isShown(place));
    const pinned = this.view.pinned.filter((place) => shown.includes(place));
    return [...pinned, ...shown.filter((place) => !pinned.includes(place))];
  }

  isShown(place) {
    const chosen = this.view.chosen[place];
    if (chosen !== undefined) return chosen;
    const { role, constant, name, own } = this.tables[this.table].columns[place];
    if (role === "call") return name.startsWith("state") || name.startsWith("committed_later");
    if (this.view.ownOnly && !own) return false;
    return !constant || this.view.withConstant || this.tables[this.table].rows < 2;
  }

  keep(scroll) {
    if (!this.isKept || !this.tables.length) return;
    const views = this.views.map((view, table) => this.named(view, table));
    const kept = { op: this.tables[this.table].op, tab: this.tab, views, scroll };
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // A browser may keep nothing; then a reload begins anew.
    }
  }

  /** Take over what was kept, as far as there still are such ops and columns. */
  recall() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
      if (!kept) return;
      const places = new Map(this.tables.map(({ op }, place) => [op, place]));
      for (const view of kept.views) {
        if (places.has(view.op)) this.views[places.get(view.op)] = this.placed(view, places.get(view.op));
      }
      this.table = places.get(kept.op) ?? this.table;
      this.tab = kept.tab;
      this.scroll = kept.scroll;
    } catch {
      // As above; or it was kept by another version of this page.
    }
  }

  /** Return a view with names where it has places. */
  named(view, table) {
    const { op, columns } = this.tables[table];
    const name = (place) => columns[place].name;
    const keyed = (pairs) => Object.fromEntries(Object.entries(pairs).map(([place, said]) => [name(place), said]));
    const sort = view.sort.map(([place, upwards]) => [name(place), upwards]);
    const called = (numbers) => (view.isRecalled ? numbers : numbers.map((n) => view.calls[n]));
    const [rows, selected] = [view.rows, view.selected].map(called);
    const { filters, chosen, pinned } = view;
    return { ...view, op, sort, filters: keyed(filters), chosen: keyed(chosen), pinned: pinned.map(name), rows, selected, calls: {} };
  }

  /** Return a view that was kept with the places that its columns have now; its rows are still calls. */
  placed(view, table) {
    const places = new Map(this.tables[table].columns.map(({ name }, place) => [name, place]));
    const keyed = (pairs) => Object.entries(pairs).filter(([name]) => places.has(name)).map(([name, said]) => [places.get(name), said]);
    const [filters, chosen] = [view.filters, view.chosen].map((pairs) => Object.fromEntries(keyed(pairs)));
    const sort = view.sort.filter(([name]) => places.has(name)).map(([name, upwards]) => [places.get(name), upwards]);
    const pinned = view.pinned.filter((name) => places.has(name)).map((name) => places.get(name));
    return { ...freshView(), ...view, filters, chosen, sort, pinned, isRecalled: true };
  }

  /** Let the rows of the view that was recalled be numbers again; return how many are not there any more. */
  async findRows(source) {
    const { view, table } = this;
    if (!view.isRecalled) return 0;
    view.isRecalled = false;
    const wanted = [...new Set([...view.rows, ...view.selected])];
    const found = new Map((await source.rowsOfCalls(wanted, table)).map((row) => [this.callOf(row, table), row.n]));
    for (const [call, n] of found) view.calls[n] = call;
    const numbers = (calls) => calls.filter((call) => found.has(call)).map((call) => found.get(call));
    [view.rows, view.selected] = [numbers(view.rows), numbers(view.selected)];
    return wanted.length - found.size;
  }

  /** Note which call a row is of, so that it can be found again. */
  note(row) {
    this.view.calls[row.n] = this.callOf(row, this.table);
  }

  callOf(row, table) {
    return row.cells[this.tables[table].call];
  }
}

function freshView() {
  const nothing = { text: "", filters: {}, sort: [], chosen: {}, withConstant: false, ownOnly: false };
  return { ...nothing, pinned: [], rows: [], selected: [], calls: {} };
}
