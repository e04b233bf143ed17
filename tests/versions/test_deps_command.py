"""`gitmemo deps OP`: what its calls touched, and pictures of it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from versions.looker import Fields, Looker

from gitmemo.drawing import to_svg
from gitmemo.model.components import Component
from gitmemo.versions.picture import edges_of, graph_of
from gitmemo.versions.tree import DependencyTree, State, Touched


def touched(looker: Looker, op: str) -> dict[str, Fields]:
    return {one["component"]: one for one in looker.json("deps", op)}


def test_components_with_their_states_and_who_uses_them(edited: Looker) -> None:
    found = touched(edited, "train")
    assert found["helper.py:scale"]["state"] == "changed for some calls"
    assert found["pipeline.py:train"]["op"] == "pipeline:train"
    assert set(found["pipeline.py:train"]["uses"]) == {"helper.py:scale", "helper.py:class Model"}
    assert found["helper.py:class Model"]["uses"] == ["helper.py:Model.__init__"]
    out = edited.clone.gitmemo("deps", "train").out
    assert out == edited.clone.gitmemo("deps", "list", "train").out
    assert "├── helper.py\n" in out
    assert "scale  changed for some calls  used by train" in out


def test_what_is_gone_and_what_changed_for_all_calls(own: Looker) -> None:
    own.clone.change("def scale(value):", "def other(value):")
    own.clone.change("sum(weights)", "sum(weights) - 1", "pipeline.py")
    found = touched(own, "train")
    assert found["helper.py:scale"]["state"] == "gone"
    assert found["pipeline.py:train"]["state"] == "changed"


def test_an_op_inside_an_op_is_named(own: Looker) -> None:
    own.clone.write(
        "nested.py",
        "import gitmemo as gm\nimport helper\n\nLIMIT = 3\n\n\n@gm.op\ndef inner(x):\n"
        "    return helper.scale(x) + LIMIT\n\n\n@gm.op\ndef outer(x):\n    return inner(x)\n\n\nouter(1)\n",
    )
    own.clone.gitmemo("run", "nested.py")
    found = touched(own, "outer")
    assert found["nested.py:inner"]["op"] == "nested:inner"
    assert found["nested.py:outer"]["uses"] == ["nested.py:inner"]
    assert set(found["nested.py:inner"]["uses"]) == {"nested.py:$LIMIT", "helper.py:scale"}
    assert "inner  valid  op nested:inner  used by outer" in own.clone.gitmemo("deps", "outer").out


def test_pictures(edited: Looker, tmp_path: Path) -> None:
    picture = tmp_path / "deps.svg"
    done = edited.clone.gitmemo("deps", "train", "--svg", str(picture))
    assert done.out == ""
    root = ElementTree.fromstring(picture.read_text("utf-8"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"train", "scale", "class Model", "helper.py"} <= set(texts)
    dot = edited.clone.gitmemo("deps", "train", "--dot").out
    assert '"pipeline.py:train" -> "helper.py:scale";' in dot
    assert '"pipeline:train" -> "pipeline.py:train";' in dot
    assert "changed for some calls" in texts and "changed for some calls" in dot
    nowhere = tmp_path / "nowhere" / "deps.svg"
    err = edited.clone.gitmemo("deps", "train", "--svg", str(nowhere), code=2).err
    assert "there is no folder" in err and not nowhere.parent.exists()


def test_recursion_and_hostile_names_can_be_drawn() -> None:
    a, b = Component("m.py", "a"), Component("m.py", 'b"<&\x07')
    lost = Component("m.py", "lost")
    tree = DependencyTree(
        "m:a",
        1,
        1,
        (
            Touched(a, State.VALID, 1, False, "m:a", (b,)),
            Touched(b, State.GONE, 1, True, None, (a, b)),
            Touched(lost, State.VALID, 1, False, None, ()),
        ),
    )
    assert ("m:a", "m.py:lost") in edges_of(tree)
    ElementTree.fromstring(to_svg(graph_of(tree)))
