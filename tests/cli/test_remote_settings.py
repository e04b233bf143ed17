"""`gitmemo remote …`: what is committed, what is of one clone, and what is refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typist import Typist

from gitmemo import errors
from gitmemo.commits.setup import set_up
from gitmemo.git.cli import Git
from gitmemo.memo.clone_trust import CloneTrust
from gitmemo.workspace import find


class Project(Typist):
    """Whose settings are looked at."""

    def json(self, *arguments: str) -> Any:
        return json.loads(self.say(*arguments, "--json"))

    @property
    def committed(self) -> dict[str, Any]:
        return tomllib.loads(self.committed_file.read_text("utf-8"))

    @property
    def own(self) -> dict[str, Any]:
        return tomllib.loads(self.own_file.read_text("utf-8"))

    def write_committed(self, text: str) -> None:
        before = self.committed_file.read_text("utf-8")
        self.committed_file.write_text(f"{before}\n{text}\n", "utf-8")


@pytest.fixture
def project(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    list(set_up(repo))
    monkeypatch.chdir(repo)
    return Project(repo, capsys)


def test_a_remote_from_beginning_to_end(project: Project, tmp_path: Path) -> None:
    said = project.say("remote", "add", "lab", "../lab", "-o", "retries=3")
    assert str(tmp_path / "lab") in said
    assert Git(project.root).run("diff", "--cached", "--name-only").strip().endswith("config.toml")
    assert project.json("remote", "show") == {
        "name": "lab",
        "url": "../lab",
        "place": str(tmp_path / "lab"),
        "options": {"retries": "3"},
        "own": [],
        "default": True,
        "trusted": False,
        "values_seen": 0,
    }
    project.say("remote", "modify", "lab", "retries=4", "--url", "../elsewhere")
    assert project.committed["remotes"] == {"lab": {"url": "../elsewhere", "retries": "4"}}
    project.say("remote", "modify", "lab", "--unset", "retries")
    project.say("remote", "add", "other", "../other")
    project.say("remote", "default", code=2)
    project.say("remote", "default", "lab")
    assert project.say("remote", "default") == "lab\n"
    project.say("remote", "rename", "lab", "hut")
    assert project.committed["remotes"].keys() == {"hut", "other"}
    assert project.committed["default_remote"] == "hut"
    project.say("remote", "remove", "hut")
    assert "default_remote" not in project.committed
    assert project.say("remote", "list") == "other\t../other\n"
    for gone in (("show", "hut"), ("rename", "hut", "x"), ("remove", "hut"), ("default", "hut")):
        assert "other" in project.say("remote", *gone, code=2)
    project.say("remote", "rename", "other", "../x", code=errors.InvalidName.exit_code)
    project.say("remote", "modify", "other", code=2)
    project.say("remote", "modify", "other", "--unset", "url", code=2)
    assert project.committed["remotes"] == {"other": {"url": "../other"}}


def test_what_one_clone_says_wins_and_may_be_secret(project: Project) -> None:
    project.say("remote", "add", "lab", "s3://bucket/x", "-o", "profile=team")
    project.say("remote", "modify", "--local", "lab", "profile=me", "secret=hunter2")
    assert project.committed["remotes"]["lab"] == {"url": "s3://bucket/x", "profile": "team"}
    assert project.own["remotes"]["lab"] == {"profile": "me", "secret": "hunter2"}
    assert (project.root / ".git/gitmemo/config.toml").stat().st_mode & 0o077 == 0
    config = find().remote("lab")
    assert dict(config.options) == {"profile": "me", "secret": "hunter2"}
    assert "hunter2" not in repr(config)
    for command in (("show", "lab"), ("show", "lab", "--json"), ("list", "--json")):
        assert "hunter2" not in project.say("remote", *command)
    assert "still wins here" in project.say("remote", "modify", "lab", "profile=us")
    project.say("remote", "modify", "--local", "lab", "--unset", "secret")
    assert dict(find().remote("lab").options) == {"profile": "me"}
    project.say("remote", "remove", "--local", "lab")
    assert dict(find().remote("lab").options) == {"profile": "us"}
    project.say("remote", "remove", "--local", "lab", code=2)


def test_a_remote_of_one_clone(project: Project) -> None:
    before = project.committed
    project.say("remote", "add", "--local", "mine", "../mine", "--default", "-o", "key=hunter2")
    assert project.committed == before
    assert project.say("remote", "default") == "mine\n"
    assert "--local" in project.say("remote", "modify", "mine", "a=b", code=2)
    assert "--local" in project.say("remote", "default", "mine", code=2)
    project.say("remote", "rename", "mine", "own")
    assert project.say("remote", "default") == "own\n"
    project.say("remote", "remove", "own")
    assert project.own.get("remotes") in (None, {})
    assert "default_remote" not in project.own
    assert project.committed == before


def test_what_is_said_of_a_remote_of_another_branch_waits(project: Project) -> None:
    local = project.root / ".git/gitmemo/config.toml"
    local.parent.mkdir(exist_ok=True)
    local.write_text('default_remote = "lab"\n[remotes.lab]\nprofile = "me"\n')
    assert "no remote is configured" in project.say("remote", "list")
    project.say("remote", "add", "other", "../other")
    assert project.say("remote", "default") == "other\n"
    project.say("remote", "add", "lab", "s3://bucket")
    assert project.say("remote", "default") == "lab\n"
    # It was written by hand, for no address that anybody knows.
    project.say("remote", "show", code=errors.RemoteMoved.exit_code)
    project.say("remote", "modify", "--local", "lab", "--confirm")
    assert dict(find().remote(None).options) == {"profile": "me"}


@pytest.mark.parametrize(
    "line",
    [
        'url = "s3://b"\nsecret = "hunter2"',
        'url = "s3://b"\naws_access_key_id = "hunter2"',
        'url = "s3://me:hunter2@b"',
        'url = "s3://b"\nendpoint_url = "https://me:hunter2@host"',
        'url = "az://b?sig=hunter2"',
    ],
)
def test_secrets_that_somebody_wrote_into_the_committed_file_are_refused(
    project: Project, line: str
) -> None:
    project.write_committed(f"[remotes.lab]\n{line}")
    for command in (("show",), ("check",), ("trust", "lab")):
        said = project.say("remote", *command, code=errors.RemoteInvalid.exit_code)
        assert "hunter2" not in said
    # This clone's own setting does not make the committed one unseen.
    project.say("remote", "modify", "--local", "lab", "profile=me", code=2)


def test_secrets_are_not_committed_by_modify(project: Project) -> None:
    project.say("remote", "add", "lab", "s3://b")
    before = project.committed
    for change in ("secret=hunter2", "url=s3://me:hunter2@b", "endpoint_url=https://a:hunter2@h"):
        said = project.say("remote", "modify", "lab", change, code=2)
        assert "hunter2" not in said
        assert "environment variables" in said
    assert project.committed == before


def test_trust_holds_for_a_place(project: Project) -> None:
    project.say("remote", "add", "lab", "s3://bucket/x", "-o", "endpoint_url=http://good:9")
    project.say("remote", "trust", "lab")
    good = find().remote("lab").origin
    assert CloneTrust(find()).covers(good)
    project.say("remote", "modify", "lab", "retries=2", "timeout=9")
    assert CloneTrust(find()).covers(find().remote("lab").origin)
    said = project.say("remote", "modify", "lab", "endpoint_url=http://evil:9")
    assert "no longer trusted" in said
    assert not CloneTrust(find()).covers(find().remote("lab").origin)
    assert CloneTrust(find()).covers(good), "what came from the trusted place stays readable"
    project.say("remote", "modify", "lab", "endpoint_url=http://good:9")
    project.say("remote", "rename", "lab", "hut")
    assert CloneTrust(find()).covers(find().remote("hut").origin)
    assert CloneTrust(find()).covers(good)
    project.say("remote", "remove", "hut")
    assert CloneTrust(find()).covers(good)
    project.say("remote", "trust", "hut", "--remove")
    assert not CloneTrust(find()).covers(good), "under no name"
    project.say("remote", "trust", "lab", "--remove", code=2)


def test_comments_and_order_of_the_settings_stay(project: Project) -> None:
    project.say("remote", "add", "lab", "../lab")
    project.write_committed('# of the lab\ntimeout = "9"  # near')
    project.say("remote", "modify", "lab", "retries=2")
    project.say("remote", "rename", "lab", "hut")
    text = (project.root / ".gitmemo/config.toml").read_text("utf-8")
    assert "# near" in text
    assert "# of the lab" in text


def test_check_says_what_is_wrong(project: Project, tmp_path: Path) -> None:
    project.say("remote", "add", "lab", "../lab")
    said = project.say("remote", "check")
    for what in ("reachable", "format", "writable", "conditional", "clock"):
        assert f"{what}: ok" in said
    assert [p for p in (tmp_path / "lab").rglob("*") if p.is_file()] == []
    (tmp_path / "lab/gitmemo-remote.json").write_text('{"format": 9, "hash": "blake3-256"}')
    assert "upgrade" in project.say("remote", "check", code=errors.RemoteTooNew.exit_code)
    project.say("remote", "modify", "lab", "--url", "../not/there")
    said = project.say("remote", "check", code=errors.RemoteUnreachable.exit_code)
    assert "not mounted" in said
    project.say("remote", "modify", "lab", "--url", "../file")
    (tmp_path / "file").write_text("")
    (found,) = project.say(
        "remote", "check", "--json", code=errors.RemoteUnreachable.exit_code
    ).splitlines()
    assert json.loads(found)["grade"] == "problem"


def test_check_of_what_fsspec_reaches(
    project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    project.say("remote", "add", "lab", f"memory://{request.node.name}")
    said = project.say("remote", "check")
    assert "writable: ok" in said
    from gitmemo.remotes.objects import ObjectTransport

    monkeypatch.setattr(ObjectTransport, "write_new", lambda *_: True)
    monkeypatch.setattr(ObjectTransport, "written_at", lambda *_: 0.0)
    said = project.say("remote", "check")
    assert "gitmemo does not need it" in said
    assert "behind this machine's" in said

    def refuse(*_: object) -> None:
        raise errors.RemoteUnreachable("lab", "memory://x", "forbidden")

    monkeypatch.setattr(ObjectTransport, "write", refuse)
    said = project.say("remote", "check", code=errors.RemoteUnreachable.exit_code)
    assert "pulling works" in said


_WEB = "http://127.0.0.1:9/x?sig=hunter2"


def test_a_password_in_an_address_of_this_clone_is_never_shown(project: Project) -> None:
    project.say("remote", "add", "lab", "s3://b/x", "-o", "retries=0")
    said = project.say(
        *("remote", "modify", "--local", "lab", "endpoint_url=https://me:hunter2@127.0.0.1:9/")
    )
    said += project.say("remote", "add", "--local", "web", _WEB, "-o", "retries=0")
    for command in (("show", "lab"), ("show", "web"), ("list",), ("list", "--json")):
        said += project.say("remote", *command)
    for name in ("lab", "web"):
        said += project.say("remote", "trust", name)
        said += project.say("remote", "check", name, code=errors.RemoteUnreachable.exit_code)
        said += project.say("pull", name, "--all", "--json")
    assert "(hidden)" in said
    assert "hunter2" not in said
    assert "hunter2" not in str(project.own["trust"]), "trust is in a place, not in a password"
    assert project.own["remotes"]["lab"]["endpoint_url"] == "https://me:hunter2@127.0.0.1:9/"


def test_a_misspelt_option_is_refused_at_once(project: Project) -> None:
    """Not at the first push, and not by a driver that may not be installed here."""
    bad = ("-o", "endpont_url=http://127.0.0.1:9")
    for where in ((), ("--local",)):
        said = project.say("remote", "add", *where, "lab", "s3://bucket", *bad, code=2)
        assert "did you mean 'endpoint_url'?" in said and "--force" in said
    project.say("remote", "add", "lab", "s3://bucket", "-o", "region=eu-west-1")
    said = project.say("remote", "modify", "--local", "lab", "secrt=hunter2", code=2)
    assert "did you mean 'secret'?" in said and "hunter2" not in said
    assert "looks like a secret" in project.say("remote", "modify", "lab", "mykey=x", code=2)
    project.say("remote", "modify", "--local", "--force", "lab", "newest=1")
    assert dict(find().remote("lab").options) == {"region": "eu-west-1", "newest": "1"}
    committed = project.say("remote", "modify", "lab", "--force", "newest=1", code=2)
    assert "committed settings may not say" in committed
    project.say("remote", "modify", "--local", "lab", "--unset", "newest")
    project.say("remote", "add", "--local", "odd", "smb://host/x", "-o", "anything=1")


def test_a_directory_of_other_things_is_no_remote(project: Project, tmp_path: Path) -> None:
    taken, empty = tmp_path / "photos", tmp_path / "empty"
    for folder in (taken, empty):
        folder.mkdir()
        (folder / ".hidden").touch()
    (taken / "a.jpg").write_bytes(b"not a value")
    for words in (("add", "lab"), ("add", "--local", "lab")):
        said = project.say("remote", *words, "../photos", code=2)
        assert "holds other things (a.jpg)" in said and str(taken / "gitmemo") in said
    project.say("remote", "add", "lab", "../empty")
    assert "a.jpg" in project.say("remote", "modify", "lab", "--url", "../photos", code=2)
    project.say("remote", "modify", "lab", "--url", "../photos/gitmemo")
    (empty / "gitmemo-remote.json").write_text("{}")
    (empty / "readme.txt").touch()
    project.say("remote", "add", "noted", "../empty")


def test_what_a_clone_says_of_a_remote_that_somebody_renamed_is_shown_and_can_follow(
    project: Project,
) -> None:
    project.say("remote", "add", "lab", "s3://bucket/values")
    project.say("remote", "modify", "--local", "lab", "secret=hush")
    text = project.committed_file.read_text("utf-8")
    project.committed_file.write_text(text.replace("remotes.lab", "remotes.group"), "utf-8")
    for words in (("list",), ("show",), ("show", "lab")):
        code = errors.RemoteUnknown.exit_code if words == ("show", "lab") else 0
        said = project.say("remote", *words, code=code)
        assert "gitmemo remote rename lab NEW" in said and "hush" not in said, words
        assert "gitmemo remote remove --local lab" in said, words
    project.say("remote", "rename", "lab", "group")
    assert project.own["remotes"] == {"group": {"secret": "hush"}}
    assert project.json("remote", "show")["own"] == ["secret"]
    assert "rename" not in project.say("remote", "list")

    # What was said for one address stays with it, also under another name.
    text = project.committed_file.read_text("utf-8")
    text = text.replace("remotes.group", "remotes.thief").replace("//bucket", "//elsewhere")
    project.committed_file.write_text(text, "utf-8")
    project.say("remote", "rename", "group", "thief")
    project.say("remote", "show", code=errors.RemoteMoved.exit_code)
    project.say("remote", "modify", "--local", "thief", "secret=other", "--confirm")
    project.committed_file.write_text(text.replace("remotes.thief", "remotes.x"), "utf-8")
    project.say("remote", "remove", "--local", "thief")
    assert "thief" not in project.say("remote", "list")


def test_what_cannot_be_an_address_says_which_are_known(project: Project) -> None:
    before = project.committed_file.read_text("utf-8")
    said = project.say("remote", "add", "lab", "s4://foo/bar", code=2)
    assert "s4:// is no kind of address" in said and "s3://, gs://" in said
    said = project.say("remote", "add", "lab", "sfpt://foo/bar", code=2)
    assert "did you mean sftp://?" in said
    assert "may not name ftp://" in project.say("remote", "add", "lab", "ftp://foo/bar", code=2)
    assert project.committed_file.read_text("utf-8") == before


def test_doubtful_directories_are_taken_and_doubted(project: Project, tmp_path: Path) -> None:
    assert "git add ." in project.say("remote", "add", "inside", "shared")
    said = project.say("remote", "add", "nowhere", str(tmp_path / "no/such"))
    assert f"there is no folder {tmp_path / 'no'} here" in said
    said = project.say("remote", "check", "nowhere", code=5)
    assert "is there and mounted" in said and "credentials" not in said
    said = project.say("remote", "add", "beside", "../hub")
    assert "git add ." not in said and "there is no folder" not in said


def test_a_world_is_compared_with_a_remote_by_its_name(project: Project, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        project.say("remote", "add", name, str(tmp_path / name))
    assert "nosuch" in project.say("world", "--remote", "nosuch", code=2)
    assert project.json("world", "--remote", "two")["missing"]["remote"] == "two"
