// A scatter plot of the rows that the table shows: numbers against numbers or words, coloured by a third.

const MARGIN = { left: 64, right: 16, top: 12, bottom: 44 };
const MOST_WORDS = 30;
const MOST_COLOURS = 8;
const NEAR = 12;

class Plot {
  constructor(place, state, source, onpoint) {
    Object.assign(this, { place, state, source, onpoint, points: [], chosen: new Map() });
    this.controls = element("div", { class: "bar" });
    this.canvas = element("canvas", { role: "img" });
    this.legend = element("ul", { class: "legend" });
    this.note = element("p", { class: "hint" });
    this.tip = element("div", { class: "tip", hidden: true });
    place.append(this.controls, element("div", { class: "canvas" }, this.canvas, this.tip), this.legend, this.note);
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    this.canvas.addEventListener("mouseleave", () => (this.tip.hidden = true));
    this.canvas.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Show the table of the state. */
  async show() {
    const { columns } = this.state.tables[this.state.table];
    const places = columns.map((_, place) => place);
    const varying = places.filter((place) => !columns[place].constant);
    const first = (...tests) => tests.map((test) => varying.find((place) => test(columns[place], place))).find((place) => place !== undefined);
    if (!this.chosen.has(this.state.table)) {
      const y = first((c) => c.numeric && c.role === "result", (c) => c.numeric && c.role !== "call", (c) => c.numeric) ?? 0;
      const x = first((c, p) => p !== y && c.numeric && c.role === "input", (c, p) => p !== y && c.role === "input", (c, p) => p !== y && c.numeric) ?? 0;
      const colour = first((c, p) => p !== x && p !== y && c.role === "input" && !c.numeric) ?? -1;
      this.chosen.set(this.state.table, { x, y, colour });
    }
    const chosen = this.chosen.get(this.state.table);
    const choice = (label, key, options) => {
      const select = element("select", { onchange: () => ((chosen[key] = Number(select.value)), this.load()) });
      for (const place of options) select.append(element("option", { value: place }, place < 0 ? "nothing" : columns[place].name));
      select.value = chosen[key];
      return element("label", {}, `${label} `, select);
    };
    const usable = places.filter((place) => columns[place].numeric || columns[place].role !== "call" || columns[place].name === "commit");
    this.controls.replaceChildren(
      choice("Up", "y", places.filter((place) => columns[place].numeric)),
      choice("Across", "x", usable),
      choice("Colour", "colour", [-1, ...usable]),
    );
    await this.load();
  }

  async load() {
    const { x, y, colour } = this.chosen.get(this.state.table);
    const { columns } = this.state.tables[this.state.table];
    const wanted = colour < 0 ? [x, y] : [x, y, colour];
    const found = await this.source.points(this.state.question, wanted);
    this.names = wanted.map((place) => columns[place].name);
    const scales = [scaleOf(found.cells[0], columns[x].numeric), scaleOf(found.cells[1], true)];
    this.scales = scales;
    this.colours = colour < 0 ? null : colourOf(found.cells[2], columns[colour].numeric);
    this.points = [];
    found.numbers.forEach((n, row) => {
      const [across, up] = scales.map((scale, axis) => scale.of(found.cells[axis][row]));
      if (across === undefined || up === undefined) return;
      this.points.push({ n, across, up, cells: found.cells.map((cells) => cells[row]), hue: this.colours?.of(found.cells[2][row]) });
    });
    const left = found.numbers.length - this.points.length;
    const notes = [count(this.points.length, "point")];
    if (left) notes.push(`${count(left, "row")} without a finite number, or with one of too many words, not shown`);
    if (found.total > found.numbers.length) notes.push(`the first ${found.numbers.length.toLocaleString("en")} of ${found.total.toLocaleString("en")} rows are here`);
    this.note.textContent = `${notes.join("; ")}. The filters of the table hold here too; a click on a point chooses its row.`;
    this.canvas.setAttribute("aria-label", `${this.names[1]} against ${this.names[0]}, ${notes[0]}`);
    const entries = this.colours?.entries ?? [];
    this.legend.replaceChildren(...entries.map(([words, hue]) => element("li", {}, this.swatch(hue), words)));
    this.draw();
  }

  swatch(hue) {
    const made = element("i", { class: "swatch" });
    made.style.background = this.paint(hue);
    return made;
  }

  /** Return a colour of the page: of a class by number, of a share between 0 and 1, or the usual one. */
  paint(hue) {
    const style = getComputedStyle(document.documentElement);
    if (hue === undefined) return style.getPropertyValue(this.colours ? "--strong-line" : "--mark");
    if (Number.isInteger(hue.index)) return style.getPropertyValue(`--hue-${hue.index % MOST_COLOURS}`);
    return `color-mix(in oklab, ${style.getPropertyValue("--high")} ${Math.round(hue.share * 100)}%, ${style.getPropertyValue("--low")})`;
  }

  draw() {
    if (this.place.hidden || !this.scales) return;
    const { clientWidth: wide, clientHeight: high } = this.canvas.parentElement;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = wide * ratio;
    this.canvas.height = high * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const [text, line] = ["--faint", "--line"].map((name) => style.getPropertyValue(name));
    const inner = { wide: wide - MARGIN.left - MARGIN.right, high: high - MARGIN.top - MARGIN.bottom };
    this.at = ({ across, up }) => [MARGIN.left + across * inner.wide, MARGIN.top + (1 - up) * inner.high];
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    pen.lineWidth = 1;
    for (const [axis, scale] of this.scales.entries()) {
      for (const [share, words] of scale.ticks(axis ? inner.high / 48 : inner.wide / 90)) {
        const [x, y] = this.at(axis ? { across: 0, up: share } : { across: share, up: 0 });
        pen.strokeStyle = line;
        pen.beginPath();
        pen.moveTo(x, axis ? y : MARGIN.top);
        pen.lineTo(axis ? x + inner.wide : x, y);
        pen.stroke();
        pen.fillStyle = text;
        pen.textAlign = axis ? "right" : "center";
        pen.textBaseline = axis ? "middle" : "top";
        pen.fillText(words.length > 14 ? `${words.slice(0, 13)}…` : words, axis ? x - 8 : x, axis ? y : y + 8);
      }
    }
    pen.fillStyle = style.getPropertyValue("--text");
    pen.textAlign = "right";
    pen.fillText(this.names[0], wide - MARGIN.right, high - 18);
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.fillText(`↑ ${this.names[1]}`, MARGIN.left + 4, 0);
    pen.globalAlpha = this.points.length > 2000 ? 0.45 : 0.8;
    const radius = this.points.length > 2000 ? 2 : this.points.length > 200 ? 3 : 4.5;
    const paints = new Map();
    for (const point of this.points) {
      const key = point.hue ? (point.hue.index ?? point.hue.share.toFixed(2)) : "";
      if (!paints.has(key)) paints.set(key, this.paint(point.hue));
      pen.fillStyle = paints.get(key);
      pen.beginPath();
      pen.arc(...this.at(point), radius, 0, 7);
      pen.fill();
    }
  }

  nearest(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let found = null;
    let least = NEAR ** 2;
    for (const point of this.points) {
      const [px, py] = this.at(point);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [found, least] = [point, far];
    }
    return found;
  }

  hover(event) {
    const point = this.nearest(event);
    this.tip.hidden = !point;
    if (!point) return;
    this.tip.replaceChildren(...this.names.map((name, n) => element("div", {}, `${name} `, element("b", {}, shownText(point.cells[n])))));
    const [x, y] = this.at(point);
    this.tip.style.left = `${Math.min(x + 12, this.canvas.clientWidth - 160)}px`;
    this.tip.style.top = `${y + 12}px`;
  }

  click(event) {
    const point = this.nearest(event);
    if (point) this.onpoint(point.n);
  }
}

/** Return a scale: `of(cell)` is a share of the axis, `ticks(n)` about n of [share, words]. */
function scaleOf(cells, isNumeric) {
  return isNumeric ? numberScale(cells) : wordScale(cells);
}

function numberScale(cells) {
  const numbers = cells.map((cell) => numberIn(valuesIn(cell)[0] ?? null)).filter((number) => Number.isFinite(number));
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
  if (!numbers.length) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.5, high + (Math.abs(high) || 1) * 0.5];
  const room = (high - low) * 0.04;
  [low, high] = [low - room, high + room];
  const share = (number) => (number - low) / (high - low);
  return {
    of: (cell) => {
      const number = numberIn(valuesIn(cell)[0] ?? null);
      return Number.isFinite(number) ? share(number) : undefined;
    },
    ticks: (most) => {
      const rough = (high - low) / Math.max(2, most);
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map((m) => m * power).find((one) => one >= rough);
      const found = [];
      for (let n = Math.ceil(low / step); n * step <= high && found.length < 50; n++) found.push([share(n * step), String(Number((n * step).toPrecision(10)))]);
      return found;
    },
  };
}

function wordScale(cells) {
  const words = commonest(cells, MOST_WORDS).sort();
  const share = (word) => (words.indexOf(word) + 0.5) / words.length;
  return {
    of: (cell) => (words.includes(textOf(cell)) ? share(textOf(cell)) : undefined),
    ticks: () => words.map((word) => [share(word), word || "nothing"]),
  };
}

function commonest(cells, most) {
  const counts = new Map();
  for (const cell of cells) counts.set(textOf(cell), (counts.get(textOf(cell)) ?? 0) + 1);
  return [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, most);
}

/** Return colours: `of(cell)` is {index} or {share}, `entries` what the legend says. */
function colourOf(cells, isNumeric) {
  const words = commonest(cells, MOST_COLOURS + 1);
  if (isNumeric && words.length > MOST_COLOURS) {
    const scale = numberScale(cells);
    const shown = scale.ticks(4).map(([share, text]) => [text, { share: Math.max(0, Math.min(1, share)) }]);
    return { of: (cell) => (scale.of(cell) === undefined ? undefined : { share: scale.of(cell) }), entries: shown };
  }
  const named = words.slice(0, MOST_COLOURS).sort((a, b) => (a < b ? -1 : 1));
  const entries = named.map((word, index) => [word || "nothing", { index }]);
  if (words.length > MOST_COLOURS) entries.push(["others", undefined]);
  return { of: (cell) => (named.includes(textOf(cell)) ? { index: named.indexOf(textOf(cell)) } : undefined), entries };
}
