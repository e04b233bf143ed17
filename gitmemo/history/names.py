"""What components are called in git: keys, file names, ref names.

Not a lookup: every name is a function of the component alone. Invariant: a key
that comes from a fetched object passes `parse_key` before anything uses it, and
a name made here is legal on every platform that git runs on.
"""

from __future__ import annotations

import hashlib
import re

from gitmemo.model.components import MAIN_PATH, Component
from gitmemo.setting_values import SIDE_REF

VERSIONS_REF = SIDE_REF
FUNCTION_REFS = "refs/gitmemo/fn"
REMOTE_REFS = "refs/gitmemo-remote"
FETCHED_REFS = "refs/gitmemo-fetched"

MAX_KEY_BYTES = 1000
_MAX_NAME = 100
_SUFFIX_DIGITS = 8
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Device names on Windows, with or without an extension.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def key_of(component: Component) -> str:
    """Return the text that names a component; raise `ValueError` if it cannot have one.

    >>> key_of(Component("analysis/train.py", "train"))
    'analysis/train.py:train'
    """
    key = str(component)
    if parse_key(key) != component:
        raise ValueError(f"{key!r} is not a component that can have a history")
    return key


def parse_key(key: str) -> Component:
    """Read what `key_of` wrote; raise `ValueError` for anything else."""
    path, colon, unit = key.rpartition(":")
    if not colon or not path or not unit or len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError("it is not `path:unit`, or is too long")
    if _CONTROL.search(key) or key != key.strip():
        raise ValueError("it holds control characters or outer spaces")
    parts = path.split("/")
    if "\\" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise ValueError("its path is not a plain relative path")
    return Component(path, unit)


def file_name(unit: str) -> str:
    """Return the name of the one file in the tree of a version.

    >>> file_name("C.m"), file_name("class C"), file_name("$N"), file_name("f.<locals>.g")
    ('C.m.py', 'C.py', 'N.py', 'f.locals.g.py')
    """
    name = _UNSAFE.sub("-", unit.removeprefix("class ").replace("<locals>", "locals"))
    return (name.strip("-.")[:_MAX_NAME] or "unit") + ".py"


def module_of(path: str) -> str:
    """Return the dotted module of a file, `src/` stripped.

    >>> module_of("src/analysis/train.py"), module_of("analysis/__init__.py")
    ('analysis.train', 'analysis.__init__')
    """
    return path.removeprefix("src/").removesuffix(".py").replace("/", ".")


def ref_name(component: Component, *, shadowed: bool = False) -> str:
    """Return the local ref that shows a component's history.

    Always two levels, so that no name is a folder of another. A name that had
    to be changed, or that differs from another only by case, gets a suffix.

    Args:
        component: Whose history.
        shadowed: Whether the plain name belongs to another component.

    >>> ref_name(Component("analysis/train.py", "train"))
    'refs/gitmemo/fn/analysis.train/train'
    """
    plain_path = component.path.removeprefix("src/").removesuffix(".py")
    # `a.b/c.py` and `a/b/c.py` would share a name, as would `x.ipynb` and a folder.
    ambiguous = "." in plain_path or (
        component.path != MAIN_PATH and not component.path.endswith(".py")
    )
    module = _component(module_of(component.path), component.path, force=ambiguous)
    name = _component(component.unit, str(component), force=shadowed)
    return f"{FUNCTION_REFS}/{module}/{name}"


def twin_of(component: Component) -> Component | None:
    """Return the component that owns the plain ref name if both exist: that outside `src/`."""
    path = component.path.removeprefix("src/")
    return Component(path, component.unit) if path and path != component.path else None


def tracking_ref(remote: str, side_ref: str = VERSIONS_REF) -> str:
    """Return the ref that holds what a remote had when it was last fetched.

    Args:
        remote: Name or URL of the remote.
        side_ref: The ref that holds the anchor there.

    >>> tracking_ref("origin"), tracking_ref("origin", "refs/heads/gitmemo")
    ('refs/gitmemo-remote/origin/versions', 'refs/gitmemo-remote/origin/heads+gitmemo')
    """
    # Flat, so that `heads/a` and `heads/a/b` can be remembered side by side.
    flat = side_ref.removeprefix("refs/").replace("/", "+")
    name = "versions" if side_ref == VERSIONS_REF else flat
    return f"{tracking_folder(remote)}{name}"


def tracking_folder(remote: str) -> str:
    """Return what the names of all tracking refs of a remote begin with."""
    return f"{REMOTE_REFS}/{_component(remote, remote)}/"


def fetched_folder(run: str, remote: str) -> str:
    """Return what the names begin with of copies of a remote's branches and tags that `run` makes.

    >>> fetched_folder("1700000000-ab", "origin")
    'refs/gitmemo-fetched/1700000000-ab/origin/'
    """
    return f"{FETCHED_REFS}/{run}/{_component(remote, remote)}/"


def tracked_by(name: str, remote: str) -> str:
    """Return the `side_ref` whose tracking ref has this name; the inverse of `tracking_ref`."""
    flat = name.removeprefix(tracking_folder(remote))
    return VERSIONS_REF if flat == "versions" else "refs/" + flat.replace("+", "/")


def _component(raw: str, identity: str, *, force: bool = False) -> str:
    """Return one component of a ref name; see git-check-ref-format(1)."""
    name = _UNSAFE.sub("-", raw)
    name = re.sub(r"\.{2,}", ".", name)[:_MAX_NAME].strip("-.")
    if (
        force
        or name != raw
        or name != name.lower()
        or name.endswith(".lock")
        or _RESERVED.fullmatch(name)
    ):
        digits = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name}-{digits[:_SUFFIX_DIGITS]}".lstrip("-")
    return name
