// Where rows come from: this page itself, or the server that sent it. Both answer the same questions.
//
// A question is {table, text, filters: [[column, typed]], sort: [[column, upwards]]};
// a row is {n: its number in the table, cells, code: its place in the table's `codes`}.

const POINTS = 10000;
const AGAIN_MS = 1000;

/** The rows that stand in the page. */
class LocalSource {
  constructor(tables) {
    this.tables = tables;
    this.found = [];
    this.of = null;
    this.searched = new Map();
  }

  async find(question) {
    this.of = this.tables[question.table];
    this.found = this.rows(question);
    return this.found.length;
  }

  /** Return the row at a place of what was found; undefined if it is not here yet. */
  row(place) {
    return this.numbered(this.found[place]);
  }

  want() {}

  sample(column) {
    const { cells } = this.of.columns[column];
    const step = Math.max(1, Math.floor(cells.length / 200));
    return cells.filter((_, place) => place % step === 0);
  }

  async rowsNumbered(numbers) {
    return numbers.map((number) => this.numbered(number));
  }

  async points(question, columns) {
    const table = this.tables[question.table];
    const rows = this.rows(question);
    const numbers = rows.slice(0, POINTS);
    const cells = columns.map((column) => numbers.map((n) => cellAt(table.columns[column], n)));
    return { total: rows.length, numbers, cells };
  }

  numbered(n) {
    if (n === undefined) return undefined;
    return { n, cells: this.of.columns.map((column) => cellAt(column, n)), code: this.of.code_at[n] };
  }

  rows(question) {
    const table = this.tables[question.table];
    let rows = Array.from({ length: table.rows }, (_, n) => n);
    for (const [place, typed] of question.filters) {
      const test = testOf(typed);
      if (test === null) continue;
      const column = table.columns[place];
      const passes = column.cells.map(test);
      rows = rows.filter((n) => passes[placeOf(column, n)]);
    }
    for (const word of question.text.toLowerCase().split(/\s+/).filter(Boolean)) rows = this.withWord(question.table, rows, word);
    for (const [place, upwards] of [...question.sort].reverse()) sortRows(table.columns[place], rows, upwards);
    return rows;
  }

  withWord(number, rows, word) {
    const useful = this.texts(number)
      .map(({ column, texts }) => ({ column, has: texts.map((text) => text.includes(word)) }))
      .filter(({ has }) => has.includes(true));
    return rows.filter((n) => useful.some(({ column, has }) => has[placeOf(column, n)]));
  }

  texts(number) {
    if (!this.searched.has(number)) {
      const texts = (column) => ({ column, texts: column.cells.map((cell) => textOf(cell).toLowerCase()) });
      this.searched.set(number, this.tables[number].columns.map(texts));
    }
    return this.searched.get(number);
  }
}

const ID_DIGITS = 12;
const placeOf = (column, n) => (column.at === null ? n : column.at[n]);

/** Return the cell of a row, with the id of its value. */
function cellAt(column, n) {
  const place = placeOf(column, n);
  const cell = column.cells[place];
  const hid = column.ids.slice(place * ID_DIGITS, (place + 1) * ID_DIGITS).trim();
  if (!hid) return cell;
  return isObject(cell) ? { ...cell, h: hid } : { v: cell, h: hid };
}

/** Sort numbers of rows by a column; rows that are alike in it stay in their order. */
function sortRows(column, rows, upwards) {
  const { cells } = column;
  const orders = cells.map(orderOf);
  const places = cells.map((_, place) => place).sort((a, b) => compareOrders(orders[a], orders[b], upwards));
  const ranks = new Int32Array(cells.length);
  places.forEach((place, position) => {
    const before = position ? places[position - 1] : place;
    const isAlike = position && compareOrders(orders[before], orders[place], upwards) === 0;
    ranks[place] = isAlike ? ranks[before] : position;
  });
  rows.sort((a, b) => ranks[placeOf(column, a)] - ranks[placeOf(column, b)]);
}

/** The rows that a server has. */
class RemoteSource {
  static BLOCK = 200;

  constructor(edition, onnews) {
    this.edition = edition;
    this.onnews = onnews;
  }

  async find(question) {
    const asking = (this.asking = {});
    const first = await this.ask("rows", { ...question, start: 0, most: RemoteSource.BLOCK });
    if (asking !== this.asking) return null; // somebody asked for something else meanwhile
    this.question = question;
    this.blocks = new Map([[0, first.rows]]);
    this.coming = new Set();
    return first.total;
  }

  row(place) {
    const block = Math.floor(place / RemoteSource.BLOCK);
    return this.blocks.get(block)?.[place - block * RemoteSource.BLOCK];
  }

  /** Ask for the rows of these places that are not here nor on their way: `oncame` is told of each part. */
  want(start, end, oncame, onfailed) {
    if (this.isOver) return;
    for (let b = Math.floor(start / RemoteSource.BLOCK); b * RemoteSource.BLOCK < end; b++) {
      if (!this.blocks.has(b) && !this.coming.has(b)) this.fetch(b, oncame, onfailed);
    }
  }

  async fetch(b, oncame, onfailed) {
    const { question, blocks, coming } = this;
    coming.add(b);
    try {
      const found = await this.ask("rows", { ...question, start: b * RemoteSource.BLOCK, most: RemoteSource.BLOCK });
      blocks.set(b, found.rows);
    } catch {
      if (!this.isOver) onfailed();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    coming.delete(b); // what failed is asked for again if it is still in sight
    oncame();
  }

  sample(column) {
    return (this.blocks.get(0) ?? []).map((row) => row.cells[column]);
  }

  async rowsNumbered(numbers, table) {
    if (!numbers.length) return [];
    return (await this.ask("numbered", { table, numbers })).rows;
  }

  async rowsOfCalls(calls, table) {
    return calls.length ? (await this.ask("called", { table, calls })).rows : [];
  }

  points(question, columns) {
    return this.ask("points", { ...question, columns });
  }

  async ask(path, question) {
    const asked = new URLSearchParams({ edition: this.edition, q: JSON.stringify(question) });
    const answer = await fetch(`/${path}?${asked}`, { cache: "no-store" });
    if (answer.status === 409) {
      this.isOver = true;
      this.onnews();
    }
    if (!answer.ok) throw new Error(`the server said ${answer.status}`);
    return answer.json();
  }
}
