"""Importing files of a project for what they define, not for what they do.

Not where an op is looked for (`loading`). Invariant: while a file is imported
here no block begins and no op runs. The statement at the top level that would
do it is left out, and what stands below it goes on.
"""

from __future__ import annotations
import __future__

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType, TracebackType

from gitmemo.memo import context
from gitmemo.source.parsing import parse
from gitmemo.tracing import Project

_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


@contextmanager
def only_defining(project: Project) -> Iterator[None]:
    """Import the files of `project` in this way until the end of the `with` statement."""
    finder = _Finder(project)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds the files of a project where Python would."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a file of the project; None for anything else."""
        spec = PathFinder.find_spec(name, path, target)
        loader = spec.loader if spec else None
        if type(loader) is not SourceFileLoader or not self._project.component_path(loader.path):
            return None
        assert spec is not None  # its loader is not None
        spec.loader = _Loader(loader.name, loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Runs a file without the statements that would begin a block or call an op."""

    def exec_module(self, module: ModuleType) -> None:
        """Define what the file defines."""
        code = self.get_code(module.__name__)
        assert code is not None  # only namespace packages have none
        with context.defining():
            stopped_at = _run(code, module)
            if stopped_at:
                self._run_below(stopped_at, code.co_flags & _FUTURE, module)

    def _run_below(self, line: int, flags: int, module: ModuleType) -> None:
        """Run the statements that begin below `line`, one by one."""
        for statement in parse(self.get_data(self.path)).body:
            if statement.lineno > line:
                alone = ast.Module([statement], [])
                code = compile(alone, self.path, "exec", flags=flags, dont_inherit=True)
                # It may need what was left out.
                with suppress(Exception, SystemExit):
                    _run(code, module)


def _run(code: CodeType, module: ModuleType) -> int:
    """Run `code` in `module`; return the line that would do more than define, 0 if none does."""
    try:
        exec(code, vars(module))
    except context.OnlyDefining as stopped:
        return _line_in(code, stopped.__traceback__)
    return 0


def _line_in(code: CodeType, trace: TracebackType | None) -> int:
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    assert trace is not None  # it was raised below the module's own frame
    return trace.tb_lineno
