"""`gitmemo demo`: the whole story with real commands, each shown before it is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from gitmemo.errors import DemoFailed

_OLD = '    """Centre every pixel."""\n    return StandardScaler(with_std=False)'
_NEW = '    """Give every pixel mean 0 and variance 1."""\n    return StandardScaler()'


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence of the story."""

    text: str


@dataclass(frozen=True, slots=True)
class Do:
    """A command of the story.

    Attributes:
        line: What a person would type.
        folder: Where, relative to the demo's folder.
        expect: What its output must contain for the story to be true: a regular expression.
    """

    line: str
    folder: str = "project"
    expect: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file."""

    path: str
    old: str
    new: str


def story() -> Iterator[Say | Do | Edit]:
    """Yield the steps of the demo."""
    yield Say("A repository with a small pipeline: load digits, train models, evaluate them.")
    yield Do("git init -q -b main .")
    yield from (Do(line) for line in _IDENTITY)
    yield Do("gitmemo init", expect="hook pre-commit: installed")
    yield Say("Run it. Every call of an @op is computed once and remembered.")
    yield Do("gitmemo run pipeline.py", expect="0 reused, 13 computed")
    yield Do("gitmemo run pipeline.py", expect="13 reused, 0 computed")
    yield Do("gitmemo df train evaluate", expect="test_acc")
    yield Say("Commit. The pre-commit hook puts the results into the same commit as the code.")
    yield Do("git add .")
    yield Do('git commit -q -m "First results"', expect="13 calls in this commit")
    yield Say("Now the helper `scale` changes: unit variance as well as zero mean.")
    yield Edit("project/features.py", _OLD, _NEW)
    yield Do("git diff -U0 features.py", expect="StandardScaler")
    yield Say("Only the calls that used `scale` are computed again.")
    yield Do("gitmemo run pipeline.py", expect="7 reused, 6 computed")
    yield Say(
        "At the commit gitmemo asks whether the old results stay valid. Here the answer is given "
        "beforehand, so that nothing waits."
    )
    yield Do(
        'GITMEMO_ON_CHANGE=breaking git commit -q -a -m "Scale to unit variance"',
        expect=r"features.py:scale changed \(breaking\)",
    )
    yield Say("Compare: the results of the commit before, and those of now. No checkout needed.")
    yield Do("gitmemo df train evaluate --rev HEAD~1", expect="test_acc")
    yield Do("gitmemo df train evaluate", expect="test_acc")
    yield Say("Each function has a history of its own, in plain git.")
    yield Do("git --no-pager log -p --format=%s refs/gitmemo/fn/features/scale", expect="breaking")
    yield Say("Back in time: the old code brings its own results back.")
    yield Do("git checkout -q HEAD~1")
    yield Do("gitmemo run pipeline.py", expect="13 reused, 0 computed")
    yield Do("git checkout -q main")
    yield Say("Share: values go to a remote (here a folder), code and records to git.")
    yield Do("git init -q --bare -b main ../origin.git")
    yield Do("git remote add origin ../origin.git")
    yield Do("gitmemo remote add lab ../lab", expect="added lab")
    yield Do('git commit -q -m "Share results in lab"')
    yield Do("git push -q -u origin main")
    yield Do("gitmemo push", expect="lab: sent")
    yield Say(
        "A colleague clones and pulls. Models are read by unpickling, which can run code, "
        "so the remote has to be trusted first."
    )
    yield Do("git clone -q origin.git colleague", folder=".")
    yield Do("gitmemo init", folder="colleague")
    yield Do("gitmemo remote trust lab", folder="colleague", expect="trusts lab")
    yield Do("gitmemo pull", folder="colleague", expect="lab: fetched")
    yield Do("gitmemo run pipeline.py", folder="colleague", expect="13 reused, 0 computed")


_IDENTITY = (
    "git config user.name Demo",
    "git config user.email demo@example.com",
    "git config commit.gpgsign false",
)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
def demo(folder: Path | None) -> None:
    """Make a small repository in DIR (a new temporary folder if omitted) and walk through the story.

    Every command is real, and shown before it is run. The folder is left to explore.
    """
    top = _prepare(folder)
    here = "project"
    click.echo(f"$ cd {shlex.quote(str(top / here))}")
    for step in story():
        if isinstance(step, Do) and step.folder != here:
            click.echo(f"$ cd {shlex.quote(os.path.relpath(top / step.folder, top / here))}")
            here = step.folder
        match step:
            case Say(text):
                click.echo(f"\n{click.style('# ' + text, bold=True)}")
            case Edit(path, old, new):
                _edit(top / path, old, new)
            case Do():
                _do(top, step)
    click.echo(
        f"\n{click.style('# Done. Explore:', bold=True)} cd {shlex.quote(str(top / 'project'))}"
    )


def _prepare(folder: Path | None) -> Path:
    if folder is None:
        top = Path(tempfile.mkdtemp(prefix="gitmemo-demo-"))
    else:
        top = folder.resolve()
        if top.exists() and any(top.iterdir()):
            raise click.UsageError(f"{folder} is not empty: name a new or an empty folder")
        top.mkdir(parents=True, exist_ok=True)
    source = _example()
    try:
        import sklearn  # noqa: F401  only to say early that it is missing
    except ImportError:
        raise DemoFailed(
            "scikit-learn is not installed", "pip install 'gitmemo[examples]'"
        ) from None
    (top / "project").mkdir()
    for name in ("features.py", "pipeline.py"):
        shutil.copyfile(source / name, top / "project" / name)
    (top / "project" / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    return top


def _example() -> Path:
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_examples", package.parent / "examples"):
        if (place / "digits" / "pipeline.py").is_file():
            return place / "digits"
    raise DemoFailed("the example is missing from the installation", "reinstall gitmemo")


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    if old not in text:
        raise DemoFailed(f"{path} is not the file that the story knows", "name an empty folder")
    path.write_text(text.replace(old, new), "utf-8")


def _do(top: Path, step: Do) -> None:
    click.echo(click.style(f"$ {step.line}", fg="green"))
    words = shlex.split(step.line)
    variables = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    command = words[len(variables) :]
    if command[0] == "gitmemo":
        command = [sys.executable, "-P", "-m", "gitmemo", *command[1:]]
    done = subprocess.run(
        command,
        cwd=top / step.folder,
        env=_environment() | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    click.echo(done.stdout, nl=False)
    if done.returncode:
        raise DemoFailed(
            f"`{step.line}` failed with exit code {done.returncode}", _EXPLORE.format(top)
        )
    if "Traceback" in done.stdout or not re.search(step.expect, done.stdout):
        raise DemoFailed(f"`{step.line}` did not print {step.expect!r}", _EXPLORE.format(top))


_EXPLORE = "look into {}, and please report it with the output above"


def _environment() -> dict[str, str]:
    """Return an environment in which only the demo's own git settings count."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "GITMEMO_"))}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
