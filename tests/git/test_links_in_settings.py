"""Links that a repository brings where settings belong: nothing is read or written through them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gitmemo.cli.remote import remote
from gitmemo.commits.setup import set_up
from gitmemo.config import COMMITTED
from gitmemo.errors import LinkInside
from gitmemo.settings_files import edit, setting
from gitmemo.workspace import find

ATTRIBUTES = ".gitmemo/.gitattributes"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", [COMMITTED, ATTRIBUTES])
def test_setting_up_makes_no_file_elsewhere(repo: Path, outside: Path, name: str) -> None:
    (repo / ".gitmemo").mkdir()
    (repo / name).symlink_to(outside / "made")
    with pytest.raises(LinkInside, match=name):
        list(set_up(repo))
    assert not list(outside.iterdir())
    assert [path.name for path in (repo / ".gitmemo").iterdir()] == [Path(name).name]


def test_setting_up_goes_into_no_linked_folder(repo: Path, outside: Path) -> None:
    (repo / ".gitmemo").symlink_to(outside, target_is_directory=True)
    with pytest.raises(LinkInside, match=r"\.gitmemo"):
        list(set_up(repo))
    assert not list(outside.iterdir())


@pytest.mark.parametrize("linked", [".gitmemo", COMMITTED])
def test_settings_are_not_read_through_a_link(repo: Path, outside: Path, linked: str) -> None:
    (outside / "config.toml").write_text('format = 1\non_change = "breaking"\n')
    (repo / linked).parent.mkdir(exist_ok=True)
    (repo / linked).symlink_to(outside if linked == ".gitmemo" else outside / "config.toml")
    with pytest.raises(LinkInside) as caught:
        find(repo)
    assert linked in caught.value.problem()
    assert caught.value.remedy()
    with pytest.raises(LinkInside):
        edit(repo, COMMITTED, setting(("on_change",), "ask"))
    assert "breaking" in (outside / "config.toml").read_text()


def test_a_dangling_link_is_a_link(repo: Path, outside: Path) -> None:
    (repo / ".gitmemo").mkdir()
    (repo / COMMITTED).symlink_to(outside / "none")
    with pytest.raises(LinkInside):
        find(repo)


def test_an_edit_writes_through_no_link_beside_it(repo: Path, outside: Path) -> None:
    (repo / ".gitmemo").mkdir()
    (repo / COMMITTED).write_text("format = 1  # kept\n")
    (repo / f"{COMMITTED}.new").symlink_to(outside / "made")
    edit(repo, COMMITTED, setting(("remotes", "foo"), {"url": "/x"}))
    assert find(repo).settings.remotes == {"foo": {"url": "/x"}}
    assert "# kept" in (repo / COMMITTED).read_text()
    assert not list(outside.iterdir())
    assert len(list((repo / ".gitmemo").iterdir())) == 2, "no temporary file stays"


def test_trust_is_kept_where_a_person_linked_it(
    repo: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No commit brings a link in the git folder."""
    (repo / ".gitmemo").mkdir()
    (repo / COMMITTED).write_text('format = 1\n[remotes.lab]\nurl = "/x"\n')
    (repo / ".git/gitmemo").symlink_to(outside, target_is_directory=True)
    monkeypatch.chdir(repo)
    done = CliRunner().invoke(remote, ["trust", "lab"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert set(find(repo).settings.trusted) == {"lab"}
