"""docs/cli.md names every command there is, every option of `lgc check`, and no option that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import click

from lgc.cli.app import COMMANDS, app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_command_has_its_section() -> None:
    assert set(re.findall(r"^### lgc (\w+)$", PAGE, re.MULTILINE)) == set(COMMANDS)


def test_the_options_named_exist() -> None:
    context = click.Context(app)
    everywhere = {option for parameter in app.params for option in parameter.opts} | {"--help"}
    for section in PAGE.split("\n### lgc ")[1:]:
        name, _, text = section.partition("\n")
        command = app.get_command(context, name)
        assert command is not None
        below = list(command.commands.values()) if isinstance(command, click.Group) else []
        known = {option for one in [command, *below] for parameter in one.params for option in parameter.opts}
        known |= everywhere
        named = set(re.findall(r"--[a-z][a-z-]+", text.partition("\n## ")[0]))
        assert named <= known, name


def test_every_option_of_check_is_named() -> None:
    command = app.get_command(click.Context(app), "check")
    assert command is not None
    text = PAGE.partition("\n### lgc check\n")[2].partition("\n### ")[0]
    named = set(re.findall(r"--[a-z][a-z-]+", text))
    assert named == {
        max(parameter.opts, key=len) for parameter in command.params if parameter.opts[0][0] == "-"
    }
