// Elements and words. Invariant: text reaches the page as text alone, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element with attributes, listeners (`onclick`) and children, which are text or elements. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Return a number of things in words: `1 row`, `10,000 rows`. */
function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** Put text on the clipboard, and say so. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { class: "away" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say("copied");
}

let silence = 0;

/** Say something for a moment, also to screen readers. */
function say(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.classList.add("heard");
  clearTimeout(silence);
  silence = setTimeout(() => said.classList.remove("heard"), 1800);
}

function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}
