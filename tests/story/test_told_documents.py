"""What documents tell people to do works, and shows what they say it shows."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from driver import make_clone
from s3_server import CREDENTIALS, new_bucket, serving
from telling import People, Type, told

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENTS = [
    name for name in ("tutorial.md", "howto/ci.md", "howto/paper.md") if (DOCS / name).is_file()
]

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="the documents are not beside the tests")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_document_shows_what_happens(document: str, tmp_path: Path) -> None:
    people = People(tmp_path)
    steps = list(told((DOCS / document).read_text("utf-8")))
    assert len(steps) > 3
    for step in steps:
        people.do(step)
    if document == "howto/ci.md":
        serve(people, document)


def serve(people: People, document: str) -> None:
    """Do the steps of a CI service: all but the installation, in a clone as it makes one."""
    block = re.search(r"^```yaml\n(.*?)^```$", (DOCS / document).read_text("utf-8"), re.M | re.S)
    assert block
    (job,) = yaml.safe_load(block[1])["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert [command for command in commands if command.startswith("pip install ")] == commands[:1]
    people.do(
        Type("service", "git clone -q --depth 1 file://$PWD/hub.git service && cd service", "")
    )
    for command in commands[1:]:
        people.do(Type("service", command, ""))


@pytest.mark.skipif(not (DOCS / "howto/team.md").is_file(), reason="the document is not there")
def test_a_team_shares_through_a_bucket_as_the_document_tells(tmp_path: Path) -> None:
    with serving() as endpoint:
        new_bucket(endpoint, "lab-results")
        people = People(tmp_path, {**CREDENTIALS, "ENDPOINT": endpoint})
        for step in told((DOCS / "howto/team.md").read_text("utf-8")):
            people.do(step)


@pytest.mark.parametrize("example", ["texts", "checkpoints"])
def test_the_example_shows_what_happens(example: str, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    people = People(tmp_path)
    folder = shutil.copytree(EXAMPLES / example, people.place(""))
    steps = list(told((folder / "README.md").read_text("utf-8")))
    (folder / "README.md").unlink()
    assert len(steps) > 3
    for step in steps:
        people.do(step)


def test_training_goes_on_after_a_kill(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    clone = make_clone(tmp_path / "clone", tmp_path)
    for name in ("train.py", "network.py"):
        shutil.copy(EXAMPLES / "checkpoints" / name, clone.root)
    clone.gitmemo("init")
    training = subprocess.Popen(
        [sys.executable, "train.py", "1000"],
        cwd=clone.root,
        env=clone.env(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert training.stdout
    seen = [training.stdout.readline() for _ in range(3)]
    training.send_signal(signal.SIGKILL)
    training.communicate(timeout=60)
    after = clone.gitmemo("run", "train.py", "3")
    assert after.out.splitlines(keepends=True) == seen
    assert after.counted == (8, 0)
