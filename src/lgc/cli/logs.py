"""`--log-format`, `--log-level`: records of what a run and its nodes do, to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..runtime.observation.sinks import TraceSink

C = TypeVar("C", bound=Callable[..., Any])

FORMATS = ["text", "json"]
LEVELS = ["debug", "info", "warning", "error"]
TEXT = "%(asctime)s %(levelname)-7s %(name)s %(span)s %(message)s"

_FORMAT, _LEVEL = "lgc.log-format", "lgc.log-level"


def log_options(command: C) -> C:
    """The options `--log-format` and `--log-level`; either of them turns logging on."""
    for option in (
        click.option(
            "--log-level", type=click.Choice(LEVELS), callback=_keep(_LEVEL), expose_value=False,
            help="Log the run and its nodes to standard error, from this level on (info).",
        ),
        click.option(
            "--log-format", type=click.Choice(FORMATS), callback=_keep(_FORMAT), expose_value=False,
            help="The same, in this form (text).",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _keep(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def keep(context: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.meta[name] = value

    return keep


def _wanted() -> dict[str, str]:
    context = click.get_current_context(silent=True)
    return {k: context.meta[k] for k in (_FORMAT, _LEVEL) if k in context.meta} if context is not None else {}


def log_words() -> list[str]:
    """The options again, for a further process."""
    return [word for name, value in _wanted().items() for word in (f"--{name.removeprefix('lgc.')}", value)]


def log_sink() -> TraceSink | None:
    """What a session tells its events to; None where nobody asked for it."""
    if not _wanted():
        return None
    from ..runtime.observation.logged import LoggingSink

    return LoggingSink()


@contextmanager
def logging_on() -> Generator[None]:
    """Write records to standard error, if that was asked for."""
    wanted = _wanted()
    if not wanted:
        yield
        return
    import logging

    from ..runtime.observation.logged import JsonFormatter, RunContextFilter

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RunContextFilter())
    handler.setFormatter(JsonFormatter() if wanted.get(_FORMAT) == "json" else logging.Formatter(TEXT))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(wanted.get(_LEVEL, "info").upper())
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
