"""Answers prepared beforehand, for tests and documents that show a question."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def mock_input(answers: Iterable[str]) -> Callable[[str], str]:
    """Return a stand-in for `input` that shows each question and gives the next answer.

    >>> from unittest.mock import patch
    >>> with patch("builtins.input", mock_input(["y"])):
    ...     input("Sure? ")
    Sure?
    You answered: "y"
    'y'
    """
    prepared = iter(answers)

    def answer(prompt: str = "") -> str:
        try:
            given = next(prepared)
        except StopIteration:
            raise EOFError(f"no answer is left for {prompt!r}") from None
        print(prompt.rstrip())  # noqa: T201  what `input` itself would write
        print(f'You answered: "{given}"')  # noqa: T201
        return given

    return answer
