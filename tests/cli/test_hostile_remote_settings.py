"""Settings of remotes that somebody else committed: what they cannot do here."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from typist import Typist

from gitmemo import errors
from gitmemo.cli import main
from gitmemo.commits.setup import set_up
from gitmemo.git.cli import Git
from gitmemo.memo.clone_trust import CloneTrust
from gitmemo.remotes import open_remote
from gitmemo.workspace import find


class Project(Typist):
    """Where others commit, too."""

    def refused(self, kind: type[errors.GitmemoError]) -> str:
        """Return what is said, once nothing asks the remote."""
        for command in (("check",), ("show",), ("trust", "lab")):
            self.say("remote", *command, code=kind.exit_code)
        for command in (("status", "--remote"), ("pull", "lab"), ("push", "lab"), ("fetch", "lab")):
            said = self.say(*command, code=kind.exit_code)
        with pytest.raises(kind):
            find().remote("lab")
        return said

    def commits(self, text: str) -> None:
        """Let the committed settings say this of remotes."""
        self.committed_file.write_text(f"format = 1\n{text}\n", "utf-8")


@pytest.fixture
def project(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    list(set_up(repo))
    monkeypatch.chdir(repo)
    return Project(repo, capsys)


# --- which addresses and options a commit may name -----------------------------


@pytest.mark.parametrize(
    "line",
    [
        'url = "dask://x"\ntarget_protocol = "memory"\nclient = "tcp://127.0.0.1:9"',
        'url = "reference://x"\nfo = "http://127.0.0.1:9/r.json"\nsimple_templates = "false"',
        'url = "filecache://x"\ntarget_protocol = "memory"\ncache_storage = "cachedir"',
        'url = "DIR://x"\ntarget_protocol = "memory"',
        'url = "simplecache::s3://b"',
    ],
)
def test_what_wraps_other_places_is_refused_whoever_says_it(project: Project, line: str) -> None:
    project.commits(f"[remotes.lab]\n{line}")
    project.refused(errors.RemoteInvalid)
    project.commits("")
    project.own_file.write_text(f"[remotes.lab]\n{line}\n")
    project.refused(errors.RemoteInvalid)
    assert not (project.root / "cachedir").exists()


@pytest.mark.parametrize(
    "line",
    [
        'url = "smb://fileserver/lab"',
        'url = "ftp://127.0.0.1:9/lab"',
        'url = "memory://b"\nretries = "2"\nskip_instance_cache = "x"',
        'url = "../lab"\nauto_mkdir = "true"',
        'url = "s3://b"\ncache_regions = "true"',
        'url = "s3://b"\nclient_kwargs = "x"',
        'url = "s3://b"\nendpoint_url = "ftp://127.0.0.1:9"',
        'url = "s3://b"\nendpoint_url = "http://h?x"',
        'url = "s3://b"\nregion = "x.example.org/"',
        'url = "gs://b"\nendpoint_url = "http://127.0.0.1:9"',
        'url = "az://b"\naccount_name = "evil.example/x?"',
        'url = "az://b"\naccount_host = "evil.example"',
        'url = "az://c@evil.example%2f.blob.core.windows.net/x"',
        'url = "az://c@evil.example:1:2.blob.core.windows.net/x"',
        'url = "s3://me@b/x"',
        'url = "https:///x"',
        'url = "sftp://h/x"\nsock = "x"',
        'url = "https://h/x"\nproxy = "http://h"',
    ],
)
def test_only_plain_places_and_options_can_be_committed(project: Project, line: str) -> None:
    project.commits(f"[remotes.lab]\n{line}")
    assert "gitmemo remote modify --local lab" in project.refused(errors.RemoteNotPlain)


def test_this_clone_may_say_more(project: Project) -> None:
    project.commits('[remotes.lab]\nurl = "smb://server/lab"\nworkgroup = "x"\nretries = "2"')
    project.refused(errors.RemoteNotPlain)
    said = project.say("remote", "modify", "--local", "lab", "--url", "smb://server/lab")
    assert "workgroup" in said, "what does not count any more is said"
    config = find().remote("lab")
    assert (config.url, dict(config.options)) == ("smb://server/lab", {"retries": "2"})
    project.commits('[remotes.lab]\nurl = "s3://b"\nacl = "x"')
    project.say("remote", "remove", "--local", "lab")
    project.say("remote", "modify", "--local", "--force", "lab", "acl=y")
    assert dict(find().remote("lab").options) == {"acl": "y"}
    project.say("remote", "add", "--local", "own", "ftp://server/lab", "-o", "block_size=1")


@pytest.mark.parametrize(
    "line",
    [
        'url = "s3://b/x"\nendpoint_url = "https://s3.example.org:9/p"\nregion = "eu-west-1"\n'
        'profile = "my team"\nanon = "True"\nretries = "1"',
        'url = "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/name/x"',
        'url = "gs://b/x"\nproject = "p-1"',
        'url = "abfs://c@account.dfs.core.windows.net/x"\naccount_name = "account"',
        'url = "ssh://ann@host:22/x"',
        'url = "sftp://host/x"\nusername = "ann"\nport = "2222"\ntimeout = "9"',
        'url = "https://host:8080/x"',
        'url = "memory://x"',
        'url = "~/lab [old]"',
    ],
)
def test_plain_places_can_be_committed(project: Project, line: str) -> None:
    project.commits(f"[remotes.lab]\n{line}")
    assert find().remote("lab").name == "lab"


# --- what this clone says is for one address ------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        'url = "sftp://evil.example/lab"',
        'url = "sftp://server/lab"\nport = "2222"',
        'url = "sftp://server/lab"\nusername = "bob"',
        'url = "https://server/lab"',
    ],
)
def test_a_secret_does_not_follow_a_committed_address(project: Project, line: str) -> None:
    project.commits('[remotes.lab]\nurl = "sftp://server/lab"')
    project.say("remote", "modify", "--local", "lab", "password=hunter2")
    assert find().remote("lab").options["password"] == "hunter2"
    project.commits('[remotes.lab]\nurl = "sftp://server/lab"\nretries = "1"')
    find().remote("lab")
    project.commits(f"[remotes.lab]\n{line}")
    said = project.refused(errors.RemoteMoved)
    assert "sftp://server/lab" in said
    assert "--confirm" in said
    assert "hunter2" not in said
    # Neither another secret nor another committed change makes the address good.
    project.say("remote", "modify", "--local", "lab", "password=other", code=2)
    project.say("remote", "modify", "lab", "timeout=9", code=2)
    project.say("remote", "modify", "--local", "lab", "--confirm")
    assert find().remote("lab").options["password"] == "hunter2"
    project.say("remote", "modify", "lab", "--url", "sftp://third/lab")
    assert find().remote("lab").url == "sftp://third/lab", "who types it here means it"
    project.say("remote", "rename", "lab", "hut")
    assert find().remote("hut").options["password"] == "hunter2"
    project.say("remote", "remove", "hut")
    own = tomllib.loads(project.own_file.read_text())
    assert not own.get("remotes") and not own.get("meant_for")


def test_a_url_of_this_clone_is_not_led_elsewhere(project: Project) -> None:
    project.commits('[remotes.lab]\nurl = "s3://b"')
    project.say("remote", "modify", "--local", "lab", "--url", "s3://mine", "secret=hunter2")
    project.commits(
        '[remotes.lab]\nurl = "s3://b"\nendpoint_url = "http://evil.example"\ntimeout = "9"'
    )
    config = find().remote("lab")
    assert dict(config.options) == {"secret": "hunter2", "timeout": "9"}
    # Without its own url the rest of what it says is for nowhere again.
    project.say("remote", "modify", "--local", "lab", "--unset", "url")
    assert find().remote("lab").url == "s3://b", "who types it here sees the address"


# --- trust ---------------------------------------------------------------------------


def test_trust_is_for_all_that_leads_anywhere(project: Project) -> None:
    first = 'url = "s3://lab/x"\nendpoint_url = "http://h"'
    project.commits(f"[remotes.lab]\n{first}")
    project.say("remote", "trust", "lab")
    others = (
        'url = "s3://lab/x endpoint_url=http://h"',
        f'{first}\nregion = "cn-north-1"',
        f'{first}\nanon = "true"',
        f'{first}\nprofile = "other"',
    )
    for other in others:
        project.commits(f"[remotes.lab]\n{other}")
        config = find().remote("lab")
        assert not find().trusts(config)
        assert not CloneTrust(find()).covers(config.origin)
    project.commits(f'[remotes.lab]\n{first}\nretries = "1"\ntimeout = "2"')
    assert find().trusts(find().remote("lab"))
    assert CloneTrust(find()).covers(find().remote("lab").origin)


@pytest.mark.parametrize("url", ["lab", ".", "./a/../lab", ".git/lab", "../beside/lab", "link"])
def test_what_commits_can_fill_is_not_trusted(project: Project, tmp_path: Path, url: str) -> None:
    git = Git(project.root)
    git.run("add", ".")
    git.run("commit", "-q", "-m", "Begin")
    git.run("worktree", "add", "-q", str(tmp_path / "beside"))
    (project.root / "link").symlink_to(project.root / "lab")
    project.commits(f'[remotes.lab]\nurl = "{url}"')
    said = project.say("remote", "trust", "lab", code=errors.RemoteInside.exit_code)
    assert "lies in this repository" in said
    assert not find().settings.trusted


def test_trust_in_a_directory_is_for_where_it_is(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.commits('[remotes.lab]\nurl = "../lab"')
    project.say("remote", "trust", "lab")
    git = Git(project.root)
    git.run("add", ".")
    git.run("commit", "-q", "-m", "Begin")
    linked = tmp_path / "far/linked"
    git.run("worktree", "add", "-q", str(linked))
    monkeypatch.chdir(linked)
    config = find().remote("lab")
    assert open_remote(config, linked).config.folder.resolve() == tmp_path / "far/lab"
    assert not find().trusts(config)
    assert not CloneTrust(find()).covers(config.origin)
    project.commits(f'[remotes.lab]\nurl = "{tmp_path}/lab"')
    assert find(project.root).trusts(find(project.root).remote("lab")), "the same place"


@pytest.mark.parametrize("url", ["S3://b", "s4://b"])
def test_an_address_of_no_known_kind_names_those_that_are(project: Project, url: str) -> None:
    project.commits(f'[remotes.lab]\nurl = "{url}"')
    said = project.say("push", "lab", code=errors.RemoteInvalid.exit_code)
    assert f"{url[:2]}://" in said and "s3://" in said


# --- texts ---------------------------------------------------------------------------


def test_a_number_of_thousands_of_digits_is_an_error_of_the_settings(project: Project) -> None:
    project.commits(f"x = {'9' * 5000}")
    assert "config.toml" in project.say("status", code=errors.SettingsUnreadable.exit_code)


def test_the_name_of_a_remote_does_not_steer_who_asks_the_doctor(project: Project) -> None:
    project.commits('[remotes."\\u001b]0;mine\\u0007"]\nurl = "../lab"')
    main(["doctor"])
    assert not {"\x1b", "\x07"} & set("".join(project.capsys.readouterr()))


def test_settings_as_deep_as_can_be_are_an_error_and_no_crash(project: Project) -> None:
    project.commits("x = " + "[" * 5000)
    assert "recursion" in project.say("status", code=errors.SettingsUnreadable.exit_code)
    project.commits("")
    project.own_file.parent.mkdir(exist_ok=True)
    project.own_file.write_text("x = " + "[" * 5000)
    project.say("status", code=errors.BadSetting.exit_code)


@pytest.mark.parametrize(
    "line",
    ['url = "../a\\rb"', 'url = "s3://a\\u001b[2Jb"', 'url = "s3://a"\nprofile = "\\u001b[2J"'],
)
def test_what_steers_a_terminal_is_refused_and_not_shown(project: Project, line: str) -> None:
    project.commits(f"[remotes.lab]\n{line}")
    said = project.refused(errors.RemoteInvalid)
    said += project.say("remote", "list")
    project.commits('[remotes."\\u001b[2J"]\nurl = "../x"\n[remotes.b]\nurl = "../y"')
    said += project.say("push", "-r", "lab", code=2)
    assert "\x1b" not in said
    assert "\r" not in said


@pytest.mark.parametrize(
    "line",
    [
        'url = "s3://b"\npass = "hunter2"',
        'url = "s3://b"\nauth = "hunter2"',
        'url = "s3://b"\nendpoint_url = "//u:hunter2@h/"',
        'url = "s3://b#token=hunter2"',
        'url = "https://h/x#auth=hunter2"',
    ],
)
def test_more_secrets_that_are_refused(project: Project, line: str) -> None:
    project.commits(f"[remotes.lab]\n{line}")
    assert "hunter2" not in project.refused(errors.RemoteInvalid)


def test_addresses_of_files(project: Project, tmp_path: Path) -> None:
    for host in ("", "localhost"):
        project.commits(f'[remotes.lab]\nurl = "file://{host}{tmp_path}/my%20lab"')
        assert find().remote("lab").folder == tmp_path / "my lab"
    for url in ("file://server/share", "file://../lab", "file://", "file:///a?b", "file:///a%0Ab"):
        project.commits(f'[remotes.lab]\nurl = "{url}"')
        project.refused(errors.RemoteInvalid)
    assert not (project.root / "localhost").exists()
    assert os.listdir(project.root)
