// The picture of the computation: its nodes lead to tables and columns.

/** Let a click on a node call `onnode({op})` or `onnode({column})`. */
function startGraph(place, nodes, onnode) {
  place.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#node-']");
    if (!link) return;
    event.preventDefault();
    const node = nodes[Number(link.getAttribute("href").slice("#node-".length))];
    if (node) onnode(node);
  });
  const states = [
    ["pending", "pending: in no commit yet"],
    ["stale", "stale: of older code, or on its results"],
    ["some", "some of its calls are pending or stale"],
  ];
  const known = states.filter(([name]) => place.querySelector(`svg .${name}`));
  const legend = known.map(([name, words]) => element("li", {}, element("i", { class: `swatch ${name}` }), words));
  place.prepend(
    element("p", { class: "hint" }, "A click on a function shows its table; on a variable, its column."),
    element("ul", { class: "legend" }, ...legend),
  );
}
