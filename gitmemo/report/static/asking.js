// What people type into a column. `report/asking.py` says what it means, and does the same.

const COMPARISON = /^(>=|<=|!=|==|>|<|=)\s*([^]*)$/;
const RANGE = /^([^]+?)\.\.([^]+)$/;
const NUMBER = /^\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan)\s*$/i;
const SIGNS = {
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};

/** Return the number that somebody typed; undefined if it is none. */
function typedNumber(text) {
  const found = NUMBER.exec(text);
  if (!found) return undefined;
  const word = found[1].toLowerCase();
  if (word === "nan") return NaN;
  if (word.includes("inf")) return word.startsWith("-") ? -Infinity : Infinity;
  return Number(word);
}

/** Return what tells the cells that somebody asks for; null if all are meant. */
function testOf(typed) {
  const asked = typed.trim();
  if (!asked) return null;
  const comparison = COMPARISON.exec(asked);
  if (comparison) return compared(comparison[1], comparison[2].trim());
  const between = RANGE.exec(asked);
  if (between) {
    const [low, high] = [typedNumber(between[1]), typedNumber(between[2])];
    if (low !== undefined && high !== undefined) return anyNumber((number) => low <= number && number <= high);
  }
  const needle = asked.toLowerCase();
  return (cell) => textOf(cell).toLowerCase().includes(needle);
}

function compared(sign, wanted) {
  if (sign === "=" || sign === "==" || sign === "!=") {
    const equal = equals(wanted);
    return sign === "!=" ? (cell) => !equal(cell) : equal;
  }
  if (!wanted) return () => true;
  const compare = SIGNS[sign];
  const bound = typedNumber(wanted);
  if (bound !== undefined) return anyNumber((number) => compare(number, bound));
  const lower = wanted.toLowerCase();
  return (cell) =>
    valuesIn(cell).some((value) => numberIn(value) === undefined && compare(compareTexts(textOf(value).toLowerCase(), lower), 0));
}

function equals(wanted) {
  if (!wanted) return (cell) => cell === null;
  const lower = wanted.toLowerCase();
  const number = typedNumber(wanted);
  return (cell) =>
    valuesIn(cell).some((value) => {
      const found = numberIn(value);
      if (found !== undefined && number !== undefined) return found === number || (found !== found && number !== number);
      return textOf(value).toLowerCase() === lower;
    });
}

function anyNumber(test) {
  return (cell) =>
    valuesIn(cell).some((value) => {
      const number = numberIn(value);
      return number !== undefined && test(number);
    });
}
