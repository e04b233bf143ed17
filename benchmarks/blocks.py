"""Entering a block: many functions that calls depend on, and a large global."""

from __future__ import annotations

from functools import partial

from benchmarks.amounts import scaled
from benchmarks.calls import values
from benchmarks.cases import Call, Case, Kind, Site
from benchmarks.peers import FILE, MANDALA_VERSIONS, REPOSITORY

_TRACKED = "from mandala.imports import track\n"
_DATA = (
    "import numpy as np\n\nDATA = np.zeros(1)\n\ndef of_data(x):\n    return x + float(DATA[0])\n"
)
_TOOLS = (REPOSITORY, FILE, MANDALA_VERSIONS)


def _functions(count: int, site: Site) -> Call:
    """Make a call that depends on so many functions of one module, and return it."""
    is_told = site.name == MANDALA_VERSIONS  # which functions there are
    mark, head = ("@track\n", _TRACKED) if is_told else ("", "")
    text = "".join(f"{mark}def f{n}(x):\n    return x + {n}\n\n" for n in range(count))
    calls = ", ".join(f"f{n}(x)" for n in range(count))
    module = site.written("many", f"{head}{text}def every(x):\n    return sum([{calls}])\n")
    function = site.wrap(module.every)
    with site.tool.block():
        function(1)
    return lambda: function(1)


def _entered(count: int, site: Site) -> Call:
    _functions(count, site)

    def enter() -> None:
        with site.tool.block():
            pass

    return enter


def _entered_and_hit(count: int, site: Site) -> Call:
    return _in_block(site, _functions(count, site))


def _global(site: Site) -> Call:
    """A call that reads a global of 100 MB."""
    module = site.written("with_data", _DATA)
    vars(module)["DATA"] = values(100)
    function = site.wrap(module.of_data)
    return _in_block(site, lambda: function(1))


def _in_block(site: Site, call: Call) -> Call:
    def enter() -> None:
        with site.tool.block():
            call()

    return enter


def _case(count: int, title: str, make: partial[Call]) -> Case:
    return Case(
        title.format(f"{scaled(count):,}"),
        make,
        50,
        (f"stat and {count:,} looks at functions",),
        _TOOLS,
        kind=Kind.BLOCK,
        warm_up=2,
        is_long=count > 500,
    )


_SIZES = {"50": 50, "500": 500, "5k": 5_000}
BLOCKS = {
    **{
        f"enter{name}": _case(
            count, "block, {} functions known, nothing called", partial(_entered, scaled(count))
        )
        for name, count in _SIZES.items()
    },
    **{
        f"block{name}": _case(
            count,
            "block with a hit that depends on {} functions",
            partial(_entered_and_hit, scaled(count)),
        )
        for name, count in _SIZES.items()
    },
    "global": Case(
        "block with a hit that reads a global of 100 MB",
        _global,
        3,
        ("BLAKE3, 100 MB",),
        _TOOLS,
        kind=Kind.BLOCK,
        warm_up=2,
    ),
}
