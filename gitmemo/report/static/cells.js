// Cells: what is in one, its text, its place in an order. `report/cells.py` says what cells there are.

const isObject = (value) => typeof value === "object" && value !== null;
const inside = (value) => (isObject(value) && "v" in value ? value.v : value);

/** Return the values of a cell: itself, or each of several; none of a gap. */
function valuesIn(cell) {
  if (cell === null) return [];
  return isObject(cell) && Array.isArray(cell.l) ? cell.l : [cell];
}

/** Return the number that a value is; undefined if it is none. */
function numberIn(value) {
  if (isObject(value) && "n" in value) return Number(value.n);
  const bare = inside(value);
  return typeof bare === "number" ? bare : undefined;
}

/** Return the text that a cell is searched by. */
function textOf(cell) {
  if (isObject(cell)) {
    if (Array.isArray(cell.l)) return cell.l.map(textOf).join(", ");
    for (const key of ["n", "j", "s"]) if (key in cell) return cell[key];
    cell = cell.v;
  }
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "boolean") return cell ? "True" : "False";
  return String(cell);
}

/** Return the text of a cell as the table shows it; `decimals` as `decimalsOf` has them. */
function shownText(cell, decimals) {
  if (cell === null) return "";
  if (isObject(cell) && Array.isArray(cell.l)) {
    const more = cell.more ? `, and ${cell.more} more` : "";
    return `[${cell.l.map((value) => shownText(value, decimals)).join(", ")}${more}]`;
  }
  if (isObject(cell) && "s" in cell) return `<${cell.s}>`;
  const bare = inside(cell);
  if (typeof bare === "number" && !Number.isInteger(bare)) return fixed(bare, decimals);
  if (isObject(cell) && "n" in cell && decimals && Number.isFinite(Number(cell.n)))
    return fixed(Number(cell.n), decimals);
  return textOf(cell);
}

function fixed(number, decimals) {
  if (decimals === undefined) return String(Number(number.toPrecision(6)));
  const text = Math.abs(number) >= 1e15 ? number.toPrecision(6) : number.toFixed(decimals);
  return Math.abs(Number(text) - number) > Math.abs(number) * 0.005 ? number.toPrecision(3) : text;
}

/** Return how many digits after the point show numbers well side by side; undefined if none do. */
function decimalsOf(cells) {
  let largest = 0;
  let longest = 0;
  for (const value of cells.flatMap(valuesIn)) {
    const number = numberIn(value);
    if (number === undefined || !Number.isFinite(number) || Number.isInteger(number)) continue;
    largest = Math.max(largest, Math.abs(number));
    const [digits, exponent] = String(number).split("e");
    longest = Math.max(longest, exponent ? 9 : (digits.split(".")[1] || "").length);
  }
  if (!longest) return undefined;
  const wanted = 4 - Math.floor(Math.log10(largest));
  return wanted > 8 ? undefined : Math.max(1, Math.min(wanted, longest));
}

/** Return how cells are sorted: [rank, number, text]; numbers, NaN, texts, the rest, gaps. */
function orderOf(cell) {
  const value = valuesIn(cell)[0];
  if (value === undefined) return [4, 0, ""];
  const bare = inside(value);
  const number = typeof bare === "boolean" ? Number(bare) : numberIn(value);
  if (number !== undefined) return Number.isNaN(number) ? [1, 0, ""] : [0, number, ""];
  return [typeof bare === "string" ? 2 : 3, 0, textOf(value)];
}

/** Compare texts by code points, as Python does: JavaScript itself compares halves of them. */
function compareTexts(one, other) {
  const shorter = Math.min(one.length, other.length);
  let at = 0;
  while (at < shorter && one.charCodeAt(at) === other.charCodeAt(at)) at++;
  if (at === shorter) return one.length - other.length;
  if (at && isFirstHalf(one.charCodeAt(at - 1))) at--;
  return one.codePointAt(at) - other.codePointAt(at);
}

const isFirstHalf = (unit) => unit >= 0xd800 && unit < 0xdc00;

/** Compare two orders; ranks stay where they are when the order is turned round. */
function compareOrders(one, other, upwards) {
  if (one[0] !== other[0]) return one[0] - other[0];
  let sign = one[1] - other[1];
  if (one[1] === other[1]) sign = compareTexts(one[2], other[2]);
  return upwards ? sign : -sign;
}

/** Return a line of Python that loads a value; null where the page shows it whole, or nothing does. */
function pythonLine(value, open) {
  if (!isObject(value)) return null;
  const start = `import gitmemo as gm; storage = ${open}; `;
  if ("h" in value) return `${start}value = storage.load_ref("${value.h}").unwrap()`;
  if (!("i" in value)) return null;
  const [result, name] = value.i;
  const call = `storage.get_ref_creator(storage.load_ref("${result}", in_memory=False))`;
  return `${start}value = ${call}.inputs[${JSON.stringify(name)}].unwrap()`;
}

/** Whether two cells hold the same, whatever led to them. */
function isSame(one, other) {
  const bare = (cell) => JSON.stringify(cell, (key, value) => (key === "h" || key === "i" ? undefined : value));
  const unwrapped = (cell) => (isObject(cell) && "v" in cell ? cell.v : cell);
  return bare(unwrapped(one)) === bare(unwrapped(other));
}
