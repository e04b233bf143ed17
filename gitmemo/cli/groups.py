"""Commands that have commands: what they say of a word that is none.

Not the commands themselves. Invariant: what is suggested can be typed.
"""

from __future__ import annotations

import click

_LONGEST = 500


class Group(click.Group):
    """A group that suggests a command where a word is nearly one, and says of each all of its line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands; click would cut what does not fit one line."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(_LONGEST))
            for name, command in found
            if command is not None and not command.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Add a suggestion to click's message about an unknown command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            known = self.list_commands(ctx)
            close = difflib.get_close_matches(args[0], known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
            raise click.UsageError(f"{error.message} {hint}", ctx) from None
