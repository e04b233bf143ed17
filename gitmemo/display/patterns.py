"""What is shown of patterns while a program runs.

Not their text (`gitmemo.patterns.writing`). Invariant: it goes where the program's own `print` goes,
so that a notebook shows it beside the table.
"""

from __future__ import annotations


def show(text: str) -> None:
    """Show a text."""
    print(text)  # noqa: T201
