// What somebody chose: the table, its filters, order and columns. It outlives a reload of a served page.

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
    const views = this.views.map((view) => ({ ...view, selected: [], rows: [] }));
    const names = this.tables.map(({ op, columns }) => [op, columns.map(({ name }) => name)]);
    const kept = { table: this.table, tab: this.tab, views, scroll, names };
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // A browser may keep nothing; then a reload begins anew.
    }
  }

  /** Take over what was kept, for tables that still have the same columns. */
  recall() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
      if (!kept) return;
      const key = (parts) => JSON.stringify(parts);
      const now = this.tables.map(({ op, columns }) => key([op, columns.map(({ name }) => name)]));
      kept.names.forEach((names, old) => {
        const place = now.indexOf(key(names));
        if (place < 0) return;
        this.views[place] = { ...freshView(), ...kept.views[old] };
        if (kept.table === old) this.table = place;
      });
      this.tab = kept.tab;
      this.scroll = kept.scroll;
    } catch {
      // As above; or it was kept by another version of this page.
    }
  }
}

function freshView() {
  return { text: "", filters: {}, sort: [], chosen: {}, withConstant: false, ownOnly: false, pinned: [], rows: [], selected: [] };
}
