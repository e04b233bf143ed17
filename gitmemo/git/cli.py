"""The `git` program, run with argument lists.

Not a model of git: it knows processes, not commits. Invariant: what git does
here depends on the folder and the arguments, not on the variables that an
enclosing hook, editor or shell happened to export.
"""

from __future__ import annotations

import builtins
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gitmemo.errors import GitFailed, GitMissing

if TYPE_CHECKING:
    import subprocess

# A hook runs with GIT_DIR and GIT_INDEX_FILE of the commit in progress, which
# would point commands for another repository at this one. These say how git
# reaches a network or a helper, or configure one run (`git -c`), and stay.
_HARMLESS = (
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
)
_HARMLESS_PREFIXES = (
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_HTTP_",
    "GIT_PROXY_",
    "GIT_SSL_",
    "GIT_TRACE",
)

OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""Variables that keep git from fetching what a partial clone lacks: it fails.

Git before 2.45 does not know the first; the second leaves it no way to fetch.
"""


def environment(keep: Iterable[str] = ()) -> dict[str, str]:
    """Return the environment for git: ours, without what binds it to another repository."""
    kept = {*_HARMLESS, *keep}
    result = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in kept or name.startswith(_HARMLESS_PREFIXES)
    }
    result["LC_ALL"] = "C"  # messages are matched, so they must be in English
    result["LANGUAGE"] = ""  # gettext prefers it to LC_ALL
    result["GIT_OPTIONAL_LOCKS"] = "0"  # a look must never make the user's own git wait
    if not any(_is_terminal(descriptor) for descriptor in (0, 2)):
        result["GIT_TERMINAL_PROMPT"] = "0"
    return result


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


class Git:
    """The `git` program, in one folder.

    Attributes:
        directory: Where it runs.
        keep: Names of GIT_* variables to pass on, such as GIT_INDEX_FILE in a hook.
    """

    __slots__ = ("_environment", "directory", "keep")

    def __init__(self, directory: str | os.PathLike[str], *, keep: Iterable[str] = ()) -> None:
        self.directory = Path(directory)
        self.keep = tuple(keep)
        self._environment: dict[str, str] | None = None

    def process(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git and return what came of it, also when it failed.

        Raises:
            GitMissing: There is no `git` program.
            NotADirectoryError, FileNotFoundError: There is no such folder.
        """
        import subprocess  # a program that finds its results starts no process

        if self._environment is None:
            self._environment = environment(self.keep)
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=self.directory,
                env={**self._environment, **(variables or {})},
                capture_output=True,
                check=False,
                # Never our own stdin: a hook's or a notebook's is not ours to read.
                input=stdin or b"",
            )
        except FileNotFoundError:
            if not self.directory.is_dir():
                raise
            raise GitMissing() from None

    def bytes(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git and return its output; raise `GitFailed` if it fails."""
        done = self.process(*arguments, stdin=stdin, variables=variables)
        if done.returncode:
            command = shlex.join(("git", *arguments))
            raise GitFailed(command, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def run(
        self,
        *arguments: str,
        stdin: builtins.bytes | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run git and return its output as text, without the last newline; see `bytes`."""
        return os.fsdecode(self.bytes(*arguments, stdin=stdin, variables=variables)).rstrip("\n")

    def try_run(self, *arguments: str, stdin: builtins.bytes | None = None) -> str | None:
        """Run git and return its output as text, or None if it fails."""
        done = self.process(*arguments, stdin=stdin)
        return None if done.returncode else os.fsdecode(done.stdout).rstrip("\n")

    def cat_file_batch(self, specs: Iterable[str]) -> dict[str, builtins.bytes | None]:
        """Return the content of each object name (`<oid>`, `<rev>:<path>`), None if there is none.

        One process reads them all. In a partial clone it fetches what is missing.
        """
        wanted = list(dict.fromkeys(specs))
        # A newline would make two requests of one, and every answer after it wrong.
        askable = [spec for spec in wanted if spec and "\n" not in spec]
        result: dict[str, builtins.bytes | None] = dict.fromkeys(wanted)
        if not askable:
            return result
        stdin = b"".join(os.fsencode(spec) + b"\n" for spec in askable)
        output, at = self.bytes("cat-file", "--batch", stdin=stdin), 0
        for spec in askable:
            end = output.index(b"\n", at)
            size = _batch_size(output[at:end], os.fsencode(spec))
            at = end + 1
            if size is not None:
                result[spec] = output[at : at + size]
                at += size + 1
        return result

    def hash_object(self, data: builtins.bytes, *, write: bool = True) -> str:
        """Store `data` as a blob, unfiltered, and return its object id."""
        options = ("-w", "--no-filters") if write else ("--no-filters",)
        return self.run("hash-object", *options, "--stdin", stdin=data)

    def update_index(
        self,
        entries: Iterable[tuple[str, str]],
        index_file: str | os.PathLike[str] | None = None,
        *,
        mode: str = "100644",
    ) -> None:
        """Put (path from the root, blob id) pairs into the index, or into `index_file`."""
        lines = b"".join(
            f"{mode} {oid} 0\t".encode() + os.fsencode(path) + b"\0" for path, oid in entries
        )
        variables = {"GIT_INDEX_FILE": os.fspath(index_file)} if index_file is not None else {}
        if lines:
            self.bytes("update-index", "-z", "--index-info", stdin=lines, variables=variables)


def _batch_size(header: bytes, spec: bytes) -> int | None:
    """Return the size that a header line of `cat-file --batch` announces, None for no object."""
    if header in (spec + b" missing", spec + b" ambiguous"):
        return None
    fields = header.rsplit(b" ", 2)
    if len(fields) != 3 or not fields[2].isdigit():
        return None  # `<spec> submodule` and what later versions of git may say
    return int(fields[2])
