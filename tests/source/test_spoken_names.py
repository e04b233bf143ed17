"""What one text calls the results of functions."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from gitmemo.source.spoken_names import SpokenNames

NAMED = {
    "acc = train(x)": ("acc",),
    "acc: float = train(x)": ("acc",),
    "if (acc := train(x)) > 1: pass": ("acc",),
    "acc = other = train(x)": ("acc",),
    "self.acc = train(x)": ("acc",),
    "model, acc = train(x)": ("model", "acc"),
    "[model, acc] = train(x)": ("model", "acc"),
    "model, self.acc = train(x)": ("model", "acc"),
    "_, acc = train(x)": ("", "acc"),
    "found[0], acc = train(x)": ("", "acc"),
    "(a, b), acc = train(x)": ("", "acc"),
    "acc = storage.unwrap(train(x))": ("acc",),
    "acc = unwrap(train(x))": ("acc",),
    "acc = storage.attach(train(x))": ("acc",),
    "acc = train(x).unwrap()": ("acc",),
    "acc = train(x).obj": ("acc",),
    "acc = train.ref(x)": ("acc",),
    "acc = train.ref(x).unwrap()": ("acc",),
    "acc = lib.train(x)": ("acc",),
    "acc = pkg.lib.train.ref(x)": ("acc",),
    "async def main():\n    acc = await train(x)": ("acc",),
    "async def main():\n    acc = gm.unwrap(await train(x))": ("acc",),
    "from lib import train as fit\nacc = fit(x)": ("acc",),
    "def main():\n    from lib import train as fit\n    acc = fit(x)": ("acc",),
    "class A:\n    def run(self):\n        self.acc = train(x)": ("acc",),
    "with storage:\n    for x in (1, 2):\n        acc = train(x)": ("acc",),
}

UNNAMED = [
    "train(x)",
    "acc = train",
    "acc = train(x) + 1",
    "acc = float(train(x))",
    "acc = train(x)[0]",
    "acc = train(x).best",
    "acc = train(x).unwrap(1)",
    "acc = [train(x) for x in xs]",
    "accs = [acc := train(x) for x in xs]",
    "accs = {acc: acc for acc in train(x)}",
    "found['acc'] = train(x)",
    "found['acc'] = acc = train(x)",
    "first, *rest = train(x)",
    "_ = train(x)",
    "_acc = train(x)",
    "self._acc = train(x)",
    "for acc in train(x): pass",
    "with train(x) as acc: pass",
    "acc += train(x)",
    "acc: float",
    "show(acc=train(x))",
    "acc = make()(train)(x)",
    "acc = objects[0].train(x)",
    "acc = storage.unwrap(*train(x))",
    # a local name is another function
    "def main(train):\n    acc = train(x)",
    "def main():\n    train = make()\n    acc = train(x)",
    "def main():\n    for train in every:\n        acc = train(x)",
    "run = lambda train: (acc := train(x))",
]


def names(text: str) -> list[tuple[str, ...]]:
    return [one.names for one in SpokenNames(ast.parse(dedent(text))).of({"train"})]


@pytest.mark.parametrize("text", NAMED)
def test_what_a_result_is_called(text: str) -> None:
    assert names(text) == [NAMED[text]]


@pytest.mark.parametrize("text", UNNAMED)
def test_what_is_no_name_of_a_result(text: str) -> None:
    assert names(text) == []


def test_whole_results_are_told_from_those_taken_apart() -> None:
    found = SpokenNames(ast.parse("a = train(x)\nb, = train(x)")).of({"train"})
    assert [(one.names, one.is_whole, one.line) for one in found] == [
        (("a",), True, 1),
        (("b",), False, 2),
    ]


def test_what_is_called_is_told_as_a_use_of_a_name() -> None:
    text = """
        a = lib.train(x)
        b = lib.train.ref(x)
        def main():
            from lib import train as fit
            c = fit(x)
    """
    found = SpokenNames(ast.parse(dedent(text))).of({"train"})
    uses = {one.names: [(use.module, use.chain) for use in one.uses] for one in found}
    assert uses == {
        ("a",): [("", ("lib", "train"))],
        ("b",): [("", ("lib", "train"))],
        ("c",): [("lib", ("train",))],
    }


def test_ops_say_what_they_are_called() -> None:
    text = """
        @gm.op(name="training", output_names=["acc"])
        def train(x): ...

        @op
        def plain(x): ...

        @task(name="other")
        def foreign(x): ...
    """
    assert SpokenNames(ast.parse(dedent(text))).given == {"train": "training"}


def test_a_statement_that_is_nested_deeply_says_nothing() -> None:
    deep = "main(" + "+".join(["x"] * 900) + ", (other := train(x)))\n"
    assert names("acc = train(x)\n" + deep) == [("acc",)]
