"""Conditions on variables as people type them: `acc > 0.8 and n in (5, 10)`.

Not Python: only comparisons of variables with literals, `and`, `or`, `not`. Invariant: whatever the
text, nothing of it is run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from gitmemo.errors import WrongQuestion
from gitmemo.frames.columns import Mask, compared, mapped, one_of

_SIGNS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
_LONGEST = 10_000
_ADVICE = (
    "compare variables with numbers, texts, True, False or None: "
    "`acc > 0.8 and n in (5, 10)`, `name == 'a' or not done`"
)


def mask_of(text: str) -> Mask:
    """Return the mask that a condition says.

    Raises:
        WrongQuestion: It is none.

    >>> mask_of("acc > 0.8 and n == 5").parts[1].name
    'n'
    """
    if len(text) > _LONGEST:
        raise WrongQuestion(f"the condition has more than {_LONGEST} characters", _ADVICE)
    try:
        return _mask(_condition(text.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise WrongQuestion(f"{text!r} is no condition: {said}", _ADVICE) from None


def _condition(text: str) -> ast.expr:
    """Return the condition that a text says; `n=5` alone, as other commands write it, is `n == 5`."""
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        match ast.parse(text).body:
            case [ast.Assign(targets=[ast.Name() | ast.Attribute() as name], value=value)]:
                if _is_literal(value):
                    return ast.Compare(name, [ast.Eq()], [value])
                raise ValueError("say `==`, not `=`, to compare") from None
            case _:
                raise


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _mask(node: ast.expr) -> Mask:
    if isinstance(node, ast.BoolOp):
        parts = tuple(_mask(value) for value in node.values)
        return Mask(parts=parts, all_of=isinstance(node.op, ast.And))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_mask(node.operand)
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        parts = tuple(
            _comparison(left, sign, right)
            for left, sign, right in zip(sides, node.ops, node.comparators, strict=False)
        )
        return parts[0] if len(parts) == 1 else _chained(parts)
    name = _name(node)
    if name is not None:
        return mapped(name, bool, as_told=True)
    raise _wrong(node)


def _chained(parts: Sequence[Mask]) -> Mask:
    """Return `2 <= n <= 3` as one comparison: of several values in a row one has to meet all of it."""
    if len({part.name for part in parts}) > 1:
        return Mask(parts=tuple(parts))
    tests = [part.test for part in parts if part.test is not None]
    return Mask.leaf(
        parts[0].name,
        lambda slots, at: [all(one) for one in zip(*(t(slots, at) for t in tests), strict=True)],
    )


def _comparison(left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Mask:
    name, literal, kind = _name(left), right, type(sign)
    if name is None and kind in _TURNED:
        name, literal, kind = _name(right), left, _TURNED[kind]
    if name is None or _name(literal) is not None:
        raise _wrong(left)
    value = _literal(literal)
    if kind in (ast.In, ast.NotIn, ast.Is, ast.IsNot):
        is_none = kind in (ast.Is, ast.IsNot)
        if is_none and value is not None:
            raise _wrong(literal)
        among = (value,) if is_none else value
        if not isinstance(among, list | tuple | set | str):
            raise _wrong(literal)
        wanted = kind in (ast.In, ast.Is)
        is_in = _in_text(among) if isinstance(among, str) else one_of(among)
        return mapped(name, lambda one: is_in(one) == wanted, as_told=True)
    shown, compare = _SIGNS[kind]
    return compared(name, compare, value, shown, as_told=True)


def _in_text(text: str) -> Callable[[object], bool]:
    return lambda one: isinstance(one, str) and one in text


def _name(node: ast.expr) -> str | None:
    """Return the name of a variable: `acc`, and `train.lr` where a name has a dot."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise _wrong(node) from None


_WORDS: dict[type[ast.AST], tuple[str, str]] = {
    ast.BitAnd: ("&", "and"),
    ast.BitOr: ("|", "or"),
    ast.Invert: ("~", "not"),
}


def _wrong(node: ast.expr) -> ValueError:
    for part in ast.walk(node):
        if type(part) in _WORDS:
            sign, word = _WORDS[type(part)]
            return ValueError(f"say `{word}`, not `{sign}`, which is for masks: `cf[m1 {sign} m2]`")
    return ValueError(f"{ast.unparse(node)!r} cannot stand there")
