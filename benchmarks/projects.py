"""Projects with the same values in gitmemo, in DVC, and as bare files: made, shared, taken back.

Not how they are timed (`sharing`, `working`). A project of gitmemo and one of DVC have a program,
`make.py`, that makes the values; in DVC it is a stage.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.amounts import scaled
from benchmarks.peers import NOBODY, REPOSITORY, git, prepare
from benchmarks.places import Place
from benchmarks.processes import gitmemo, run

SMALL_SIZE, LARGE_SIZE = 200, scaled(5_000_000)
_PROGRAM = """\
import gitmemo as gm
import subject

SMALL, LARGE = {small}, {large}

with gm.open("."):
    noise = gm.op(subject.noise)
    for number in range(*SMALL):
        noise(number, {small_size})
    for number in range(*LARGE):
        noise(number, {large_size})
"""
_STAGE = """\
from pathlib import Path
from random import Random

SMALL, LARGE = {small}, {large}
data = Path("data")
data.mkdir(exist_ok=True)
for name, numbers, size in (("small", SMALL, {small_size}), ("large", LARGE, {large_size})):
    for number in range(*numbers):
        (data / f"{{name}}-{{number}}").write_bytes(Random(number).randbytes(size))
"""
_STAGES = "stages:\n  make:\n    cmd: {python} make.py\n    deps: [make.py]\n    outs: [data]\n"
_BARE = """
import sys
from pathlib import Path
from fsspec.core import url_to_fs

action, url, endpoint, folder = sys.argv[1:]
options = {"endpoint_url": endpoint} if endpoint else {}
fs, root = url_to_fs(url, **options)
if action == "push":
    files = sorted(Path(folder).iterdir())
    fs.makedirs(root, exist_ok=True) if not endpoint else None
    fs.put([str(path) for path in files], [f"{root}/{path.name}" for path in files])
else:
    names = fs.ls(root, detail=False)
    Path(folder).mkdir()
    fs.get(names, [f"{folder}/{name.rpartition('/')[2]}" for name in names])
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """The numbers of the values that a program makes: from, and up to."""

    small: tuple[int, int] = (0, 0)
    large: tuple[int, int] = (0, 0)

    def fill(self, text: str) -> str:
        """Return a program that makes these."""
        sizes = {"small_size": SMALL_SIZE, "large_size": LARGE_SIZE}
        return text.format(small=self.small, large=self.large, **sizes)

    def files(self, folder: Path) -> None:
        """Write the values as files."""
        folder.mkdir()
        for name, numbers, size in (
            ("small", self.small, SMALL_SIZE),
            ("large", self.large, LARGE_SIZE),
        ):
            for number in range(*numbers):
                data = random.Random(number).randbytes(size)
                (folder / f"{name}-{number}").write_bytes(data)


class Gitmemo:
    """A repository whose calls made the values."""

    def __init__(self, place: Place) -> None:
        self.folder = place.folder / "gitmemo"
        self.copy = place.folder / "gitmemo-copy"
        self._kept = place.folder / "gitmemo-kept"
        self._place = place
        prepare(REPOSITORY, self.folder)
        options = ("-o", f"endpoint_url={place.endpoint}") if place.endpoint else ()
        gitmemo(self.folder, "remote", "add", "lab", place.url("gitmemo"), *options)

    def make(self, workload: Workload) -> None:
        """Write the program for these values, and run it."""
        (self.folder / "make.py").write_text(workload.fill(_PROGRAM), encoding="utf-8")
        self.run(self.folder)

    def run(self, folder: Path) -> None:
        """Run the program as it is."""
        run(sys.executable, "make.py", cwd=folder)

    def push(self) -> None:
        """Send the values."""
        gitmemo(self.folder, "push")

    def pull(self) -> None:
        """Bring the values into a copy of `clone`."""
        gitmemo(self.copy, "pull")

    def status(self) -> None:
        """Ask how things stand."""
        gitmemo(self.folder, "status")

    def keep(self) -> None:
        """Keep what is stored beside git, for `restore`."""
        shutil.copytree(self.folder / ".git/gitmemo", self._kept, symlinks=True)

    def restore(self) -> None:
        """Put back what was kept; the commit is checked out."""
        shutil.rmtree(self.folder / ".git/gitmemo")
        shutil.copytree(self._kept, self.folder / ".git/gitmemo", symlinks=True)

    def forget(self) -> None:
        """Forget what was shared, there and here."""
        self._place.clear("gitmemo")
        shutil.rmtree(self.folder / ".git/gitmemo/remotes", ignore_errors=True)

    def drop_copy(self) -> None:
        """Delete the copy."""
        shutil.rmtree(self.copy, ignore_errors=True)

    def clone(self) -> None:
        """Make a copy as a colleague does, without values."""
        git(self.folder, "clone", "-q", "--no-local", ".", str(self.copy))
        gitmemo(self.copy, "init")
        gitmemo(self.copy, "remote", "trust", "lab")

    def look(self) -> None:
        """Look into the copy, so that its index has what was committed."""
        gitmemo(self.copy, "status")


class Dvc:
    """A repository with the values as the files of a stage."""

    def __init__(self, place: Place, program: str) -> None:
        self.folder = place.folder / "dvc"
        self.copy = place.folder / "dvc-copy"
        self._place, self._program = place, program
        self._site = place.folder / "dvc-site"
        self.folder.mkdir()
        git(self.folder, "init", "-q", "-b", "main")
        self._dvc(self.folder, "init", "-q")
        stages = _STAGES.format(python=sys.executable)
        (self.folder / "dvc.yaml").write_text(stages, encoding="utf-8")
        self._dvc(self.folder, "remote", "add", "-q", "-d", "lab", place.url("dvc"))
        if place.endpoint:
            self._dvc(self.folder, "remote", "modify", "-q", "lab", "endpointurl", place.endpoint)

    def install(self) -> None:
        """Install the hooks, which check out and say what is not committed."""
        self._dvc(self.folder, "install")

    def make(self, workload: Workload) -> None:
        """Write the program for these values, and run the stage."""
        (self.folder / "make.py").write_text(workload.fill(_STAGE), encoding="utf-8")
        self.run(self.folder)

    def run(self, folder: Path) -> None:
        """Run the stage, if it has to be."""
        self._dvc(folder, "repro", "-q")

    def push(self) -> None:
        """Send the values."""
        self._dvc(self.folder, "push", "-q")

    def pull(self) -> None:
        """Bring the values into a copy of `clone`."""
        self._dvc(self.copy, "pull", "-q")

    def status(self) -> None:
        """Ask how things stand."""
        self._dvc(self.folder, "status", "-q")

    def keep(self) -> None:
        """Keep nothing: what is stored beside git is found by its content."""

    def restore(self) -> None:
        """Put back the files of the commit that is checked out."""
        self._dvc(self.folder, "checkout", "-q")

    def forget(self) -> None:
        """Forget what was shared, there and here."""
        self._place.clear("dvc")
        shutil.rmtree(self._site, ignore_errors=True)

    def drop_copy(self) -> None:
        """Delete the copy."""
        shutil.rmtree(self.copy, ignore_errors=True)

    def clone(self) -> None:
        """Make a copy as a colleague does, without values."""
        git(self.folder, "clone", "-q", "--no-local", ".", str(self.copy))

    def git(self, *arguments: str) -> None:
        """Run git with the hooks of DVC."""
        found = f"{Path(self._program).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**self._environment, "PATH": found}
        run("git", *NOBODY, *arguments, cwd=self.folder, environment=environment)

    @property
    def _environment(self) -> dict[str, str]:
        return {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(self._site)}

    def _dvc(self, folder: Path, *arguments: str) -> None:
        run(self._program, *arguments, cwd=folder, environment=self._environment)


class Bare:
    """The same bytes as files, by fsspec alone: `put` and `get` of all at once."""

    def __init__(self, place: Place, workload: Workload) -> None:
        self._place = place
        self.folder, self.copy = place.folder / "bare", place.folder / "bare-copy"
        workload.files(self.folder)

    def push(self) -> None:
        """Send the files."""
        self._do("push", self.folder)

    def pull(self) -> None:
        """Bring them into a new folder."""
        self._do("pull", self.copy)

    def forget(self) -> None:
        """Forget what was shared."""
        self._place.clear("bare")

    def drop_copy(self) -> None:
        """Delete what was brought."""
        shutil.rmtree(self.copy, ignore_errors=True)

    def _do(self, action: str, folder: Path) -> None:
        place = self._place
        run(sys.executable, "-c", _BARE, action, place.url("bare"), place.endpoint, folder)
