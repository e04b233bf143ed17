"""Changes of code as a notebook shows them: with buttons where it can.

Not what they say (`memo.undecided`), nor when they are shown (`memo.asking`). Invariant: nobody
waits; what a button does, a method does too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from gitmemo.changes.askers import Answerable
from gitmemo.errors import GitmemoError
from gitmemo.tracing.kernels import has_front_end

_ANSWERS = {"Keep older results": "keep", "Recompute": "recompute"}
_SAID = {
    "keep": "Older results are kept. Run the cell again.",
    "recompute": "Older results are not used. Run the cell again.",
}


def show(changes: Answerable) -> bool:
    """Show changes in the notebook that this program runs in; False where nobody sees one."""
    if not has_front_end():
        return False
    try:
        from IPython.display import display
    except ImportError:  # a kernel without IPython
        say(str(changes))
    else:
        display(changes)  # type: ignore[no-untyped-call]
    return True


def say(line: str) -> None:
    """Say something below the cell that runs."""
    print(line)  # noqa: T201  where a cell prints


def buttons(changes: Answerable) -> Mapping[str, Any]:
    """Return changes with a button for each answer; nothing without ipywidgets."""
    if not has_front_end():
        return {}
    try:
        import ipywidgets
    except ImportError:
        return {}
    told = ipywidgets.HTML()
    made = [ipywidgets.Button(description=text) for text in _ANSWERS]
    for button, method in zip(made, _ANSWERS.values(), strict=True):
        button.on_click(_pressed(changes, method, made, told))
    shown = ipywidgets.HTML(changes._repr_html_())
    box = ipywidgets.VBox([shown, ipywidgets.HBox(made), told])
    bundle: Mapping[str, Any] = box._repr_mimebundle_()
    return {kind: data for kind, data in bundle.items() if kind.startswith("application/")}


def _pressed(
    changes: Answerable, method: str, made: list[Any], told: Any
) -> Callable[[object], None]:
    def pressed(_button: object) -> None:
        try:
            getattr(changes, method)()
        except GitmemoError as error:
            told.value = f"<pre>{escape(str(error))}</pre>"
            return
        for button in made:
            button.disabled = True
        told.value = _SAID[method]

    return pressed
