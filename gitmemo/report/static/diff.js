// How two texts differ, line by line.

const MOST_STEPS = 4e6;
const CONTEXT = 3;

/** Return lines as [sign, text]: " " in both, "-" in the old one, "+" in the new one. */
function lineDiff(old, fresh) {
  const [a, b] = [old, fresh].map((text) => (text ? text.replace(/\n$/, "").split("\n") : []));
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = changedLines(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const same = (text) => [" ", text];
  return [...a.slice(0, head).map(same), ...middle, ...a.slice(a.length - tail).map(same)];
}

function changedLines(a, b) {
  if (a.length * b.length > MOST_STEPS) return [...a.map((text) => ["-", text]), ...b.map((text) => ["+", text])];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width); // of what follows, lines in common
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      longest[at] = a[i] === b[j] ? longest[at + width + 1] + 1 : Math.max(longest[at + width], longest[at + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i++]]);
      j++;
    } else if (i < a.length && (j === b.length || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      lines.push(["-", a[i++]]);
    } else lines.push(["+", b[j++]]);
  }
  return lines;
}

/** Return a diff as an element; lines far from any change are left out. */
function diffElement(old, fresh) {
  const lines = lineDiff(old, fresh);
  const near = lines.map((_, n) => lines.slice(Math.max(0, n - CONTEXT), n + CONTEXT + 1).some(([sign]) => sign !== " "));
  const block = element("pre", { class: "diff" });
  let isGap = false;
  lines.forEach(([sign, text], n) => {
    if (near[n]) block.append(element("span", { class: { "+": "plus", "-": "minus", " ": "same" }[sign] }, `${sign} ${text}\n`));
    else if (!isGap) block.append(element("span", { class: "gap" }, "…\n"));
    isGap = !near[n];
  });
  return block;
}

/** Return how the contents of two versions differ, component by component; empty if they do not. */
function codeDiff(contents, old, fresh) {
  const byName = (places) => new Map(places.map((place) => [contents[place].component, contents[place]]));
  const [before, after] = [byName(old), byName(fresh)];
  const found = [];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [one, other] = [before.get(name), after.get(name)];
    if (one && other && one.id === other.id && one.value === other.value) continue;
    found.push(element("h4", {}, name, element("small", {}, !one ? " only on the right" : !other ? " only on the left" : "")));
    if (one?.id !== other?.id) {
      const unknown = [one, other].some((content) => content && content.text === null);
      found.push(unknown ? element("p", { class: "faint" }, "its text is not known on this machine") : diffElement(one?.text ?? "", other?.text ?? ""));
    } else found.push(element("p", {}, `the same text; the value became another: ${one.value ?? "unknown"} → ${other.value ?? "unknown"}`));
  }
  return found;
}
