"""What goes wrong with the user's code and with calls of it."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError, KeepsResult


class SourceError(GitmemoError, ValueError):
    """A source file is not valid Python for this interpreter."""

    kind = "source-error"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"{self.path} cannot be read as Python: {self.reason}"

    def remedy(self) -> str:
        return f"correct the syntax of {self.path}, or run with the Python version that it is written for"


class UntrackableOp(GitmemoError, ValueError):
    """A function has no stable identity or no readable code."""

    kind = "untrackable-op"

    def __init__(self, function: str, reason: str, fix: str = "") -> None:
        super().__init__(function, reason, fix)
        self.function, self.reason, self.fix = function, reason, fix

    def problem(self) -> str:
        return f"{self.function} cannot be an op: {self.reason}"

    def remedy(self) -> str:
        return self.fix or (
            "decorate a function that is defined with `def` in a file or a notebook cell "
            "(a lambda needs a name: @op(name=...))"
        )


class OpNameTaken(GitmemoError, ValueError):
    """Two ops of one module give themselves the same name."""

    kind = "op-name-taken"

    def __init__(self, name: str, place: str, other: str) -> None:
        super().__init__(name, place, other)
        self.name, self.place, self.other = name, place, other

    def problem(self) -> str:
        return f"{self.place} calls itself {self.name!r}, as {self.other} does"

    def remedy(self) -> str:
        return "give each op a name of its own, or leave name= out: nobody could tell their calls apart"


class UnknownNotebook(GitmemoError, ValueError):
    """An op stands in a notebook whose place in the repository is not known."""

    kind = "unknown-notebook"

    def __init__(self, op: str, alike: tuple[str, ...] = ()) -> None:
        super().__init__(op, alike)
        self.op, self.alike = op, alike

    def problem(self) -> str:
        said = f"{self.op} is in a notebook, and which file that is cannot be told from here"
        if self.alike:
            return f"{said}: all of {', '.join(self.alike)} have the cells that ran"
        return said

    def remedy(self) -> str:
        return (
            "say which notebook this is, in its first cell: "
            '__session__ = "/home/me/project/first.ipynb"; where it is executed as a whole with '
            "JPY_SESSION_NAME=/home/me/project/first.ipynb in the environment, or papermill "
            f'--inject-paths; or give the op a name that lasts, @gm.op(name="{self.op}")'
        )


class UnusableFileName(GitmemoError, ValueError):
    """Code stands in a file whose path cannot be written down for every machine."""

    kind = "unusable-file-name"
    exit_code = 3

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def problem(self) -> str:
        return (
            f"code of the file {self.path!a} cannot be tracked: control characters, a backslash, a "
            "colon in the second place, `@` at the beginning and names that are not UTF-8 mean something "
            "else elsewhere"
        )

    def remedy(self) -> str:
        return "rename the file or the folder in the project, then run the program again"


class MemoCellRefused(GitmemoError, ValueError):
    """A cell of `%%memo` cannot be an op."""

    kind = "memo-cell-refused"
    exit_code = 2

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason, fix)
        self.reason, self.fix = reason, fix

    def problem(self) -> str:
        return f"this cell cannot be an op: {self.reason}"

    def remedy(self) -> str:
        return self.fix or "put it in a function with @gm.op, or run the cell without %%memo"


class WrongOutputs(KeepsResult, GitmemoError, ValueError):
    """An op returned another number of results than it declares."""

    kind = "wrong-outputs"

    def __init__(self, op: str, declared: str, returned: str) -> None:
        super().__init__(op, declared, returned)
        self.op, self.declared, self.returned = op, declared, returned

    def problem(self) -> str:
        return f"{self.op} declares {self.declared} but returned {self.returned}"

    def remedy(self) -> str:
        if self.returned == "one list":
            return (
                "if its elements are the outputs, wrap it: return tuple(…); else correct "
                "output_names, nout or the return annotation"
            )
        return (
            "return a tuple of that length, or correct output_names, nout or the return annotation"
        )


class BadOption(GitmemoError, ValueError):
    """An option of `@op` is unknown, not possible, or names what the function does not have."""

    kind = "bad-option"
    exit_code = 2

    def __init__(self, op: str, option: str, value: str, fix: str) -> None:
        """`value` is empty where there is no such option."""
        super().__init__(op, option, value, fix)
        self.op, self.option, self.value, self.fix = op, option, value, fix

    def problem(self) -> str:
        if not self.value:
            return f"@op({self.option}=...) of {self.op}: there is no such option"
        return f"@op({self.option}=...) of {self.op}: {self.value} is not possible"

    def remedy(self) -> str:
        return self.fix


class DependencyMissing(GitmemoError, LookupError):
    """A package or file that an op or the project names as a dependency does not exist."""

    kind = "dependency-missing"
    exit_code = 2

    def __init__(self, op: str, dependency: str, where: str, fix: str) -> None:
        """`where` is the place that names it."""
        super().__init__(op, dependency, where, fix)
        self.op, self.dependency, self.where, self.fix = op, dependency, where, fix

    def problem(self) -> str:
        return f"{self.op} was not run: there is no {self.dependency}, which {self.where} names"

    def remedy(self) -> str:
        return self.fix


class SignatureChanged(GitmemoError, ValueError):
    """Stored results of an op do not fit its signature any more."""

    kind = "signature-changed"

    def __init__(self, op: str, change: str, fix: str) -> None:
        super().__init__(op, change, fix)
        self.op, self.change, self.fix = op, change, fix

    def problem(self) -> str:
        return f"{self.op} has stored results that do not fit its signature: {self.change}"

    def remedy(self) -> str:
        return self.fix


class NotAnOp(GitmemoError, TypeError):
    """A question about ops was asked with something that is neither an op nor a name."""

    kind = "not-an-op"

    def __init__(self, given: str, question: str) -> None:
        super().__init__(given, question)
        self.given, self.question = given, question

    def problem(self) -> str:
        return f"{self.question} takes ops or their names, and {self.given} is neither"

    def remedy(self) -> str:
        return (
            f"pass the function that @op decorates, or its name: {self.question}('train'); "
            "what led to one ref: storage.prov(ref)"
        )


class NewCallRefused(GitmemoError, RuntimeError):
    """A call would have to be computed, which `allow_new_calls(False)` or `run --frozen` forbids."""

    kind = "new-call-refused"
    exit_code = 3

    def __init__(self, op: str, why: str) -> None:
        super().__init__(op, why)
        self.op, self.why = op, why

    def problem(self) -> str:
        return (
            f"{self.op} would have to be computed ({self.why}), and new calls are not allowed here"
        )

    def remedy(self) -> str:
        return (
            f"`gitmemo why {self.op}`, or storage.explain(op, ...), says what differs; to compute it, "
            "run it without --frozen, tests with --gitmemo=write, and in a program with "
            "storage.allow_new_calls(True)"
        )


class NoActiveStorage(GitmemoError, RuntimeError):
    """Something was asked of an op that only a storage can answer, outside a block."""

    kind = "no-active-storage"

    def __init__(self, op: str) -> None:
        super().__init__(op)
        self.op = op

    def problem(self) -> str:
        return f"no storage is active here, so there is nothing to ask about {self.op}"

    def remedy(self) -> str:
        return "do it inside `with storage:`"


class StorageInMemory(GitmemoError, TypeError):
    """A storage in memory was to be pickled."""

    kind = "storage-in-memory"

    def problem(self) -> str:
        return "a storage in memory cannot go to another process"

    def remedy(self) -> str:
        return (
            'give it a file, gm.Storage(db_path="results.db"), or use threads: '
            '`with joblib.parallel_config("threading"):`'
        )


class InputMutated(KeepsResult, GitmemoError, RuntimeError):
    """An op changed one of its arguments in place; its result is not stored."""

    kind = "input-mutated"

    def __init__(self, op: str, argument: str) -> None:
        super().__init__(op, argument)
        self.op, self.argument = op, argument

    def problem(self) -> str:
        return f"{self.op} changed its argument {self.argument!r} in place, so its result was not stored"

    def remedy(self) -> str:
        return (
            "work on a copy inside the op and return that (what comes from a ref is a copy already), "
            f"or let gitmemo make the copy: @op(mutates={self.argument!r})"
        )


class UnreliableTracking(KeepsResult, GitmemoError, RuntimeError):
    """A call depends on what cannot be tracked reliably, and the storage is strict."""

    kind = "unreliable-tracking"

    def __init__(self, op: str, component: str, reason: str) -> None:
        super().__init__(op, component, reason)
        self.op, self.component, self.reason = op, component, reason

    def problem(self) -> str:
        return (
            f"{self.op} depends on {self.component}, which cannot be tracked reliably, so its result "
            f"was not stored: {self.reason}"
        )

    def remedy(self) -> str:
        return (
            "pass what matters as an argument, or open the storage without strict_tracing=True and "
            "skip_unhashable_globals=False"
        )


class MissingDependencies(GitmemoError, LookupError):
    """Code that stored calls depend on is gone, and the storage does not accept that."""

    kind = "missing-dependencies"
    exit_code = 3

    def __init__(self, components: tuple[str, ...]) -> None:
        super().__init__(components)
        self.components = components

    def problem(self) -> str:
        return f"stored results depend on code that is gone: {', '.join(self.components)}"

    def remedy(self) -> str:
        return "restore it, or open the storage without skip_missing_deps=False"


class OpNotLoaded(GitmemoError, LookupError):
    """An op is known by name, but its function cannot be had from the project's files."""

    kind = "op-not-loaded"
    exit_code = 2

    def __init__(self, op: str, file: str, reason: str) -> None:
        """`file` is empty where it is not known."""
        super().__init__(op, file, reason)
        self.op, self.file, self.reason = op, file, reason

    def problem(self) -> str:
        where = f" from {self.file}" if self.file else ""
        return f"{self.op} cannot be loaded{where}: {self.reason}"

    def remedy(self) -> str:
        return (
            "name the op as FILE:FUNCTION (such as analysis/train.py:train), and check that "
            "importing the file works; from the program itself use storage.explain and storage.check"
        )


class WrongArguments(GitmemoError, TypeError):
    """Arguments given for an op are not those that it takes."""

    kind = "wrong-arguments"
    exit_code = 2

    def __init__(self, op: str, reason: str, parameters: tuple[str, ...]) -> None:
        super().__init__(op, reason, parameters)
        self.op, self.reason, self.parameters = op, reason, parameters

    def problem(self) -> str:
        return f"{self.op}: {self.reason}"

    def remedy(self) -> str:
        return f"write NAME=VALUE; its arguments are: {', '.join(self.parameters) or '(none)'}"
