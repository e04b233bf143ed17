"""Of many records of one call, those that are read decide as all of them would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.glances import Asked
from gitmemo.model.items import raw
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.tombstones import origin_of
from gitmemo.world.crowds import Crowd, Member
from gitmemo.world.view import preferred

_VERSIONS = [digest(b"one"), digest(b"two"), None]
_RECORDS = st.lists(
    st.tuples(
        st.integers(0, 5),  # the history of its input
        st.integers(0, 2),  # its code
        st.integers(0, 1),  # what it returned
        st.sampled_from(
            ["run", "link", "lost"]
        ),  # run; repeats the last run; repeats what is not here
        st.booleans(),  # renamed since
        st.sampled_from(["here", "elsewhere", "dead", "dead elsewhere"]),
    ),
    max_size=30,
)


def _input(history: int) -> Slot:
    return Slot("x", content_id(1.0), digest(b"%d" % history))


def _call(history: int, version: Digest | None, output: int, run: dict[str, object]) -> Call:
    call = Call("step", 0, version, (_input(history),), ())
    result = Slot.output(call.hid, "output_0", raw(content_id(float(output))))
    return Call("step", 0, version, call.inputs, (result,), (), run)  # type: ignore[arg-type]


def _crowd_of(
    records: list[tuple[int, int, int, str, bool, str]],
) -> tuple[Crowd, list[Call], list[str]]:
    """Return a crowd with its calls and where each is."""
    crowd, calls, places = Crowd(), [], []
    ran: dict[tuple[int, int], Call] = {}
    for number, (history, code, output, kind, is_moved, where) in enumerate(records):
        run: dict[str, object] = {"start": str(number)}
        if kind != "run":
            origin = ran.get((code, output)) if kind == "link" else None
            same = record_id(to_line(origin)) if origin else digest(b"%d%d" % (code, output))
            run["same"] = same.hex()
            if is_moved:
                run["as"] = ["a.py", "step", "b.py", "step"]
        call = _call(history, _VERSIONS[code], output, run)
        if kind == "run":
            ran.setdefault((code, output), call)
        crowd.add(number, to_line(call), call)
        calls.append(call)
        places.append(where)
    return crowd, calls, places


def _decided(
    calls: list[Call], places: list[str], chosen: list[int], valid: set[Digest | None], moved: bool
) -> tuple[object, ...] | None:
    """Return what a look-up does with these records: takes one as it is, or links to one."""
    living = [n for n in chosen if not places[n].startswith("dead")]
    ordered = [
        (call, where)
        for where in ("here", "elsewhere")
        for call in preferred(calls[n] for n in living if places[n] == where)
        if call.version in valid and (moved or call.moved is None)
    ]
    for call, where in ordered:
        if call.inputs[0].hid == _input(0).hid:
            return "exact", where, to_line(call)
    for call, where in ordered[:1]:
        return "like", where, [slot.cid for slot in call.outputs]
    return None


@given(_RECORDS, st.sets(st.sampled_from(_VERSIONS)), st.booleans())
def test_what_is_chosen_decides_as_all_would(
    records: list[tuple[int, int, int, str, bool, str]], valid: set[Digest | None], moved: bool
) -> None:
    crowd, calls, places = _crowd_of(records)
    chosen = crowd.deciding(
        Asked("step", 0, (_input(0),)),
        lambda member: places[member.place] == "here",
        lambda member: places[member.place] == "elsewhere",
    )
    everything = list(range(len(calls)))
    assert _decided(calls, places, chosen, valid, moved) == _decided(
        calls, places, everything, valid, moved
    )


def test_of_links_to_a_run_that_is_here_none_is_chosen() -> None:
    records = [(7, 0, 1, "run", False, "here")]
    records += [(history, 0, 1, "link", False, "here") for history in range(100)]
    crowd, calls, _ = _crowd_of(records)
    seen: list[Member] = []

    def is_here(member: Member) -> bool:
        seen.append(member)
        return True

    assert crowd.deciding(Asked("step", 0, (_input(5),)), is_here) == [0, 6]
    assert [(one.place, one.origin) for one in seen] == [(0, origin_of(calls[0]))]
