"""Code that is not what stored calls touched: found, shown, decided; at commits and in programs.

Invariant: a program in which nothing changed loads only what finds that out.
"""

from typing import TYPE_CHECKING

from gitmemo.late import loader

if TYPE_CHECKING:
    from gitmemo.changes.cases import Answer, Case, answers, cases_of, settle, together

__all__ = ["Answer", "Case", "answers", "cases_of", "settle", "together"]

__getattr__ = loader(
    __name__, cases=("Answer", "Case", "answers", "cases_of", "settle", "together")
)
