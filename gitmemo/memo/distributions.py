"""What is installed that somebody may have meant: for errors.

Not versions (`tracing.outside`). Invariant: nothing is imported but metadata.
"""

from __future__ import annotations

from gitmemo.model.externals import package


def suggestion(name: str) -> str:
    """Say what to write instead of `name`, which is no installed distribution."""
    import difflib  # only for an error
    from importlib import metadata

    wanted = name.replace("-", "_")
    for module, providers in metadata.packages_distributions().items():
        if module.lower() == wanted:
            meant = " or ".join(sorted(set(providers)))
            return f"{name} is imported, but installed as {meant}: name that"
    installed = {_plain(str(found.name)) for found in metadata.distributions() if found.name}
    close = difflib.get_close_matches(name, installed, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}name a package as `pip install` does, or install it"


def _plain(name: str) -> str:
    try:
        return package(name).unit
    except ValueError:  # left behind by an installation that failed
        return name
