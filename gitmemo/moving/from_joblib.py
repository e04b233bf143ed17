"""From the folder of a `joblib.Memory` to calls of ops.

Not the reading of the folder (`joblib_folder`), nor the proof of arguments (`joblib_arguments`).
Invariant: results are unpickled only if the caller was told to.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmemo.codecs.portable import load_dump
from gitmemo.moving.fitting import Refused, fitted
from gitmemo.moving.joblib_arguments import Candidates, Unproven, taken_apart
from gitmemo.moving.joblib_folder import OldFunction, OldResult
from gitmemo.moving.ops import OpFinder
from gitmemo.moving.report import FunctionReport
from gitmemo.moving.taking import Taker, run_facts

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class _Waiting:
    """A result whose arguments are not proven yet."""

    # Not a dataclass: type checkers take an op in one for a method.
    __slots__ = ("code", "op", "report", "result")

    def __init__(
        self, result: OldResult, op: Op[..., Any], code: str, report: FunctionReport
    ) -> None:
        self.result, self.op, self.code, self.report = result, op, code, report


def bring_joblib(
    functions: Sequence[OldFunction], finder: OpFinder, taker: Taker, *, reads: bool
) -> list[FunctionReport]:
    """Bring what is proven; return what came of each function.

    Without `reads` no result is unpickled, so that arguments which are results stay unproven.
    """
    reports = [FunctionReport(old.name, refused=old.damaged.copy()) for old in functions]
    waiting: list[_Waiting] = []
    for old, report in zip(functions, reports, strict=True):
        try:
            op = finder.of_joblib(old.parts)
            report.op = taker.bringing.name_of(op)
            code = taker.code_of(op, old.code)
        except Refused as refused:
            report.refused[str(refused)] += len(old.results)
            continue
        waiting += [_Waiting(result, op, code, report) for result in old.results]
    texts = {text for one in waiting for text in one.result.arguments.values()}
    candidates = Candidates(texts)
    while waiting:
        left = [one for one in waiting if not _taken(one, candidates, taker, reads=reads)]
        if len(left) == len(waiting):
            break
        waiting = left
    for one in waiting:
        _give_up(one, candidates, reads=reads)
    return reports


def _taken(one: _Waiting, candidates: Candidates, taker: Taker, *, reads: bool) -> bool:
    """Whether it is settled what becomes of a result; it is brought, counted or refused."""
    report, result = one.report, one.result
    try:
        arguments = candidates.proven(result.arguments, result.arguments_hash)
        call = fitted(one.op, *taken_apart(arguments))
        is_known = taker.is_known(one.op, call)
        if is_known and not candidates.is_wanted:
            report.known += 1
            return True
        if not reads:
            report.known += is_known
            report.unread += not is_known
            return True
        returned = _read(result.output)
        candidates.add(returned)
        if not is_known:
            run = run_facts(result.ended_s, result.seconds)
            taker.take(one.op, call, returned, run, one.code)
        report.known += is_known
        report.brought += not is_known
    except Unproven:
        return False
    except Refused as refused:
        report.refused[str(refused)] += 1
    return True


def _give_up(one: _Waiting, candidates: Candidates, *, reads: bool) -> None:
    try:
        candidates.proven(one.result.arguments, one.result.arguments_hash)
    except Unproven as reason:
        hint = "" if reads else " (results were not read)"
        one.report.refused[f"{reason}{hint}"] += 1


def _read(output: Path) -> object:
    try:
        return load_dump(output)
    except (Exception, SystemExit) as error:  # unpickling runs any code
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise Refused(f"its output.pkl cannot be read: {said}") from error
