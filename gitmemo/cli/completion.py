"""`gitmemo completion`: the script that makes a shell complete what is typed after `gitmemo`."""

from __future__ import annotations

import click

from gitmemo.cli.completing import SHELLS, script


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and names in SHELL.

    \b
    bash: eval "$(gitmemo completion bash)"   in ~/.bashrc
    zsh:  eval "$(gitmemo completion zsh)"    in ~/.zshrc, after compinit
    fish: gitmemo completion fish > ~/.config/fish/completions/gitmemo.fish
    """
    click.echo(script(shell))
