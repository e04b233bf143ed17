"""A document as one HTML page that needs nothing else.

Not what is in it (`document`), nor its looks and manners (`static`). Invariants: what comes from
results, names and code stands in the page as JSON in which no character begins or ends markup, or as
text escaped for HTML; and the browser is told to run only the script, and to apply only the styles,
that stand in this very page, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

_SCRIPTS = (
    *("words.js", "cells.js", "asking.js", "source.js", "state.js", "diff.js"),
    *("grid.js", "panel.js", "graph.js", "changes.js", "plot.js", "main.js"),
)
_STYLE_IN_GRAPH = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_HARMLESS = {  # what could end the block of data, or a line of script in old browsers
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def html_of(data: dict[str, object], graph: str, *, served: bool = False) -> str:
    """Return the page of a document, given as plain data, and of its graph, which is SVG."""
    script, style = script_text(), static("page.css")
    policy = policy_of(script, [style, *_STYLE_IN_GRAPH.findall(graph)], served=served)
    title = str(data["title"])
    return Template(static("page.html")).substitute(
        policy=escape(policy),
        title=escape(f"{title}: results"),
        style=style,
        graph=graph,
        data=json_in_html(data),
        script=script,
    )


def json_in_html(data: object) -> str:
    """Return data as JSON that is safe inside a `<script>` element.

    >>> json_in_html("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, written in _HARMLESS.items():
        text = text.replace(character, written)
    # Half of a pair of surrogates cannot be written as UTF-8.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def policy_of(script: str, styles: list[str], *, served: bool = False) -> str:
    """Return the content-security-policy of a page with this script and these styles."""
    hashes = " ".join(dict.fromkeys(map(_hash, styles)))
    rules = [
        "default-src 'none'",
        f"script-src {_hash(script)}",
        f"style-src {hashes}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join([*rules, "connect-src 'self'"] if served else rules)


@cache
def script_text() -> str:
    """Return the script of a page: its files, one after the other, in one scope."""
    parts = [f"// {name}\n{static(name)}" for name in _SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();\n"


@cache
def static(name: str) -> str:
    """Return a file of the page."""
    return (files("gitmemo.report") / "static" / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
