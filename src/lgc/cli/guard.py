"""From whatever a command ends with to an exit status and a sentence: nothing else reaches the user."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper

from . import FINDINGS, FINE, INTERRUPTED, USAGE
from .terminal import Failure, color_mode, error_style, printable, say

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any

    import click

    from ..runtime.errors import LgcError

# Errors of the runtime that mean: the words or the store given are wrong, not that a run went wrong.
_USAGE_ERRORS = frozenset({
    "BindingError", "CheckpointCorrupted", "CheckpointNotFound", "RunExists", "RunNotFound", "StorageError",
    "TransientMissing",
})  # fmt: skip


def guarded(words: list[str]) -> int:
    """Run the command line and turn what it raises into a status."""
    words, debug = _global_words(words)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before Python began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a crash.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _command(words)
        sys.stdout.flush()
        return status if isinstance(status, int) else FINE
    except BaseException as error:
        if debug:
            _trace(error)
        return _status(error)


def _command(words: list[str]) -> object:
    """Run a command and give back its status, if it has one."""
    completing = "_LGC_COMPLETE" in os.environ  # a shell asks how a word goes on
    if words[:1] == ["check"] and not completing:
        from .plain import read

        given = read(words[1:])
        if given is not None:
            from .checking import Options, check_paths

            paths, values = given
            return check_paths(paths, Options(**values))
    from .app import app

    if completing:
        app.main(words, prog_name="lgc")
    if words[:1] != ["check"] or "--watch" in words:
        gc.enable()
    with app.make_context("lgc", words) as context:
        return app.invoke(context)


def _trace(error: BaseException) -> None:
    """Show where an error comes from, unless it only carries a status."""
    from click.exceptions import Exit

    if not isinstance(error, SystemExit | Exit | BrokenPipeError):
        import traceback

        traceback.print_exception(error)


def _global_words(words: list[str]) -> tuple[list[str], bool]:
    """Take out `--debug` and `--color WHEN`, which may stand anywhere before a `--`."""
    rest: list[str] = []
    debug = False
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return rest + words[at:], debug
        if word == "--debug":
            debug = True
        elif word == "--color" and at + 1 < len(words) and words[at + 1] in color_mode.CHOICES:
            color_mode.chosen = words[at + 1]
            at += 1
        elif word.startswith("--color=") and word.removeprefix("--color=") in color_mode.CHOICES:
            color_mode.chosen = word.removeprefix("--color=")
        else:
            rest.append(word)
        at += 1
    return rest, debug


def _status(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        # It may have come while click was being imported: nothing of it can be relied on.
        say("interrupted")
        return INTERRUPTED
    import click

    from ..settings import ProjectError

    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case SystemExit():
            if isinstance(error.code, str):
                say(error.code)
                return FINDINGS
            return error.code or FINE
        case click.Abort():
            say("interrupted")
            return INTERRUPTED
        case Failure():
            say(error.message, error.hint)
            return error.status
        case ProjectError():
            say(error.message, error.hint)
            return USAGE
        case click.UsageError():
            _usage(error)
            return USAGE
        case click.ClickException():
            say(error.format_message())
            return error.exit_code
        case BrokenPipeError():
            # Whoever read the output has seen enough; closing must not complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FINE
        case OSError():
            what = (error.strerror or str(error)).lower()
            say(f"{error.filename}: {what}" if error.filename else what)
            return USAGE
        case RecursionError() | MemoryError():
            say(f"the input is too large or nested too deeply ({type(error).__name__})")
            return USAGE
        case _ if (known := _runtime_error(error)) is not None:
            if type(known).__name__ == "GraphMismatch":
                _mismatch(known)
                return FINDINGS
            say(known.message + _where(known), known.hint)
            return USAGE if type(known).__name__ in _USAGE_ERRORS else FINDINGS
        case _:
            what = str(error).partition("\n")[0]
            say(
                f"internal error: {type(error).__name__}" + (f": {what}" if what else ""),
                "this is a bug in lgc; run again with --debug and report what it shows",
            )
            return USAGE


def _runtime_error(error: BaseException) -> LgcError | None:
    """The error as one of the runtime's, if the runtime was loaded at all."""
    errors: Any = sys.modules.get("lgc.runtime.errors")
    known: Any = error
    return known if errors is not None and isinstance(error, errors.LgcError) else None


def without_python(hint: str) -> str:
    """A hint for both without what a program would write."""
    import re

    return re.sub(r"`mode=RestoreMode\.[A-Z]+`, ", "", hint)


def _mismatch(error: Any) -> None:
    """A refused restore: what changed, whether it matters to this run, and how to go on."""
    from .wording import short_hash

    style = error_style()
    head = error.message.partition("\n")[0]
    usual = head.startswith("the run was made under graph ")
    say(f"run `{error.run}` was made under another graph than the one given" if usual else head)
    lines = [f"run   {short_hash(error.expected)}", f"given {short_hash(error.actual)}"]
    for line in (*lines, *error.told):
        indent = "  " if line.startswith("- ") else ""
        sys.stderr.write(f"  {style.blue('|')} {indent}{printable(line)}\n")
    help = printable(without_python(error.hint))
    sys.stderr.write(f"  {style.blue('=')} {style.bold('help:')} {help}\n")


def _where(error: LgcError) -> str:
    places = (("run", error.run), ("node", error.node), ("step", error.step))
    told = ", ".join(f"{what} {value}" for what, value in places if value is not None)
    return f" ({told})" if told else ""


def _usage(error: click.UsageError) -> None:
    message = error.format_message()
    hint = ""
    context = error.ctx
    near = getattr(error, "possibilities", None)
    if near:
        message = message.partition("Did you mean")[0].rstrip(" (").rstrip(".?")
        nearest = sorted(near, key=lambda one: -_alike(str(getattr(error, "option_name", "")), one))
        hint = f"did you mean {' or '.join(f'`{one}`' for one in nearest[:2])}?"
    elif context is not None:
        hint = f"see `{context.command_path} --help`"
    say(message.rstrip("."), hint)


def _alike(written: str, known: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, written, known).ratio()
