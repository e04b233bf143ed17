"""`python -m gitmemo`: the command line, also where no script was installed (git hooks)."""

from gitmemo.cli import enter

enter()
