"""A week of edits in a small repository: what is computed again, what is not, and who decides."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PREP = """\
def scale(values):
    return [value / max(values) for value in values]
"""

STUDY = """\
import gitmemo as gm
from prep import scale

storage = gm.open()


@gm.op
def score(size):
    return round(sum(scale(range(1, size))), 3)


with storage:
    print([storage.unwrap(score(size)) for size in (10, 100, 1000)])
"""


class Project:
    """A repository, and somebody who works in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Nobody is asked at commits: what is not decided is pending, and counts as breaking.
        self.environment = os.environ | {"GITMEMO_ON_CHANGE": "pending"}
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@localhost")
        self.gitmemo("init")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, env=self.environment, check=True)

    def gitmemo(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "gitmemo", *arguments]
        subprocess.run(command, cwd=self.root, env=self.environment, check=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def replace(self, old: str, new: str, name: str = "prep.py") -> None:
        self.write(name, (self.root / name).read_text("utf-8").replace(old, new))

    def run(self, title: str) -> None:
        print(f"\n# {title}", flush=True)
        self.gitmemo("run", "study.py")

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


def walk(project: Project) -> None:
    project.write("prep.py", PREP)
    project.write("study.py", STUDY)
    project.run("Monday: everything is new")
    project.commit("First results")

    project.replace("def scale(values):", 'def scale(values):\n    """Bring to 0..1."""')
    project.run("Tuesday: a docstring is no change")

    project.replace(
        "    return [value / max(values) for value in values]",
        "    top = max(values)\n    return [value / top for value in values]",
    )
    project.gitmemo("decide", "scale", "--non-breaking", "-m", "the greatest is found once")
    project.run("Wednesday: a quicker way to the same, and somebody says so")
    project.commit("Find the greatest once")

    project.replace("    top = max(values)", "    top = greatest(values)")
    project.replace("def scale", "def greatest(values):\n    return max(values)\n\n\ndef scale")
    project.gitmemo("decide", "scale", "--non-breaking", "-m", "extracted a helper")
    project.run("Thursday: a helper is extracted; old results depend on it from now on")
    project.replace("return max(values)", "return max(values) + 1")
    project.run("... so its change reaches them, though they never called it")
    project.replace("return max(values) + 1", "return max(values)")
    project.commit("Extract a helper")

    project.git("mv", "prep.py", "features.py")
    project.replace("from prep import", "from features import", "study.py")
    project.commit("Call the file what it is")
    project.run("Friday: the file has another name; the commit recognised that")

    project.git("checkout", "-q", "HEAD~3")
    project.run("... and Monday's code finds Monday's results")
    project.git("checkout", "-q", "main")

    project.replace("return max(values)", "return sum(values)", "features.py")
    project.run("Saturday: another idea, not committed")
    print("\n# What it does to the results", flush=True)
    project.gitmemo("diff", "main", "--op", "score")
    print("\n# Monday's table, without going there", flush=True)
    project.gitmemo("df", "score", "--rev", "main~3")
    project.git("checkout", "-q", "features.py")

    print("\n# What was decided, and why", flush=True)
    project.gitmemo("log", "features.py:scale")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        walk(Project(Path(folder)))
