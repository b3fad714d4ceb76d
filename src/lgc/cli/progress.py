"""From events and chunks of a run to lines that a person, or a program, follows."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from .terminal import Style, output_style, printable
from .wording import fields, moment, status_text, took

if TYPE_CHECKING:
    from ..runtime.errors import LgcError
    from ..runtime.observation.events import GraphEvent, StreamChunk
    from ..runtime.sessions.session import Session


class Follower(Protocol):
    """Takes everything that happens in a run, in order."""

    def begin(self, session: Session[Any], store: str) -> None:
        """The run is about to go on."""
        ...

    def refused(self, error: Exception) -> None:
        """The run could not be started or restored; the error is told elsewhere too."""
        ...

    def event(self, event: GraphEvent) -> None:
        """The engine did something."""
        ...

    def chunk(self, chunk: StreamChunk) -> None:
        """A node sent something to display."""
        ...

    def end(self, session: Session[Any], duration: float, words: str, error: LgcError | None) -> None:
        """The run ended, or stopped to wait; `words` name the store in printed commands."""
        ...


class Lines:
    """One JSON object a line."""

    def begin(self, session: Session[Any], store: str) -> None:
        """Nothing: the first event tells."""

    def refused(self, error: Exception) -> None:
        if hasattr(error, "hint"):
            self._line({"result": {"status": "refused", "error": error_json(error)}})

    def event(self, event: GraphEvent) -> None:
        told = {"run": event.run, "span": event.span, "parent": event.parent, "frame": event.frame}
        more = {"node": event.node, "step": event.step, "time": event.time, "data": event.data}
        self._line({"event": str(event.kind), **told, **more})

    def chunk(self, chunk: StreamChunk) -> None:
        told: dict[str, Any] = {
            "chunk": str(chunk.kind),
            "run": chunk.run,
            "frame": chunk.frame,
            "node": chunk.node,
        }
        more = {"text": chunk.text, "tool": chunk.tool, "call": chunk.call, "data": chunk.data}
        self._line({**told, "step": chunk.step, **{name: value for name, value in more.items() if value}})

    def end(self, session: Session[Any], duration: float, words: str, error: LgcError | None) -> None:
        self._line({"result": result_json(session, duration, error)})

    def _line(self, value: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()


class Story:
    """For people: one line for each completed node, what nodes say indented below, the end at the end."""

    def __init__(self) -> None:
        self.style: Style = output_style()
        self.begun = time.monotonic()
        self.pending: dict[tuple[str, str], str] = {}
        self.answered: dict[str, str] = {}  # by a barrier's span: who answered it

    def begin(self, session: Session[Any], store: str) -> None:
        self.begun = time.monotonic()
        at = f", after step {session.step}" if session.step else ""
        sys.stdout.write(f"{self.style.bold('run')} {session.run_id}{at} {self.style.dim(f'in {store}')}\n")
        sys.stdout.flush()

    def refused(self, error: Exception) -> None:
        """Nothing: the error says it."""

    def event(self, event: GraphEvent) -> None:
        style = self.style
        where = f"{event.frame}/{event.node}" if event.frame else event.node
        kind = str(event.kind)
        match kind:
            case "barrier_resolved":
                self.answered[event.span] = str(event.data.get("actor", ""))
            case "node_completed":
                self._completed(event)
            case "node_retried":
                text = f"{where} {style.yellow('again')}: {_error(event)}"
                self._line(style.yellow(".."), text, event)
            case "node_failed":
                self._flush(event.frame, event.node)
                self._line(style.red("!!"), f"{where} {style.red('failed')}: {_error(event)}", event)
            case "observed_error":
                self._line(style.yellow("!!"), f"{where or 'run'}: {_error(event)}", event)
            case _:
                pass

    def _completed(self, event: GraphEvent) -> None:
        style, actor = self.style, self.answered.pop(event.span, "")
        self._flush(event.frame, event.node)
        where = f"{event.frame}/{event.node}" if event.frame else event.node
        outcome = str(event.data.get("outcome", "ok"))
        how = f" {style.yellow(outcome)}" if outcome != "ok" else ""
        who = f" {style.dim(f'by {printable(actor)}')}" if actor else ""
        arrow = f" {style.dim('->')} {event.data['next']}" if event.data.get("next") else ""
        self._line(style.green("ok"), f"{style.bold(where)}{how}{who}{arrow}", event)

    def chunk(self, chunk: StreamChunk) -> None:
        key = (chunk.frame, chunk.node)
        match str(chunk.kind):
            case "text" | "thinking" | "tool_output":
                text = self.pending.pop(key, "") + chunk.text
                *lines, rest = text.split("\n")
                for line in lines:
                    self._said(line)
                if rest:
                    self.pending[key] = rest
            case "custom":
                self._flush(*key)
                self._said(json.dumps(chunk.data, ensure_ascii=False, default=str))
            case kind:
                self._flush(*key)
                self._said(f"{chunk.tool} {kind.removeprefix('tool_')}")

    def end(self, session: Session[Any], duration: float, words: str, error: LgcError | None) -> None:
        for key in list(self.pending):
            self._flush(*key)
        style, out = self.style, sys.stdout.write
        status = str(session.status)
        out(f"{status_text(status, style)} {style.dim(f'after {took(duration)}, step {session.step}')}\n")
        if error is None and status == "done":
            for line in fields(state_json(session.state), style):
                out(line + "\n")
        if error is None:
            for barrier in session.waiting if status == "waiting" else ():
                for line in barrier_lines(barrier, style, words):
                    out(line + "\n")
        else:
            self._failure(session.run_id, error, words)
        sys.stdout.flush()

    def _failure(self, run: str, error: LgcError, words: str) -> None:
        style, out = self.style, sys.stdout.write
        where = f" at {error.node}" if error.node else ""
        out(f"{style.red('error', bold=True)}{where}: {printable(error.message)}\n")
        if type(error).__name__ == "RunUncertain" and error.node:
            command = f"lgc settle {run} {error.node} retry|skip|records{words}"
            out(f"  {style.blue('=')} {style.bold('help:')} say what became of it: {command}\n")
            return
        if error.hint:
            out(f"  {style.blue('=')} {style.bold('help:')} {error.hint}\n")
        if type(error).__name__ != "Cancelled":
            out(f"  {style.blue('=')} {style.bold('go on:')} lgc resume {run}{words}\n")

    def _flush(self, frame: str, node: str) -> None:
        text = self.pending.pop((frame, node), "")
        if text:
            self._said(text)

    def _said(self, text: str) -> None:
        sys.stdout.write(f"           {self.style.dim('|')} {printable(text)}\n")
        sys.stdout.flush()

    def _line(self, mark: str, text: str, event: GraphEvent) -> None:
        duration = event.data.get("duration")
        long = f"  {self.style.dim(took(float(duration)))}" if duration is not None else ""
        elapsed = f"{time.monotonic() - self.begun:6.1f}s"
        sys.stdout.write(f"{self.style.dim(elapsed)} {event.step:>4} {mark} {text}{long}\n")
        sys.stdout.flush()


def follower(as_json: bool) -> Follower:
    """The one that is wanted."""
    return Lines() if as_json else Story()


def _error(event: GraphEvent) -> str:
    return printable(str(event.data.get("error", "") or event.data.get("message", ""))).partition("\n")[0]


def barrier_lines(barrier: Any, style: Style, store_words: str) -> list[str]:
    """What a waiting barrier shows, and the commands that answer it."""
    from shlex import quote

    place = f"{barrier.frame}/{barrier.node}" if barrier.frame else barrier.node
    lines = [f"{style.yellow('waiting', bold=True)} at {style.bold(place)} until {moment(barrier.deadline)}"]
    lines += fields(dict(barrier.shown), style)
    lines.append("answer with one of")
    start = f"lgc decide {quote(barrier.run)} {quote(barrier.id)}"
    for name, model in barrier.answers.items():
        arguments = "".join(f" {argument}=..." for argument in argument_names(model))
        lines.append(f"  {style.cyan(f'{start} {name}{arguments} --actor NAME{store_words}')}")
    for target in barrier.reroute:
        lines.append(f"  {style.cyan(f'{start} reroute node={target} --actor NAME{store_words}')}")
    if barrier.modify:
        lines.append(
            f"  together with --modify {' or '.join(barrier.modify)}='{{...}}' where it should be changed"
        )
    return lines


def argument_names(model: type[Any]) -> list[str]:
    """The names of an answer's arguments, as the language has them."""
    return [info.alias or name for name, info in model.model_fields.items()]


def barrier_json(barrier: Any) -> dict[str, Any]:
    """A waiting barrier as JSON data."""
    return {
        "id": barrier.id,
        "frame": barrier.frame,
        "node": barrier.node,
        "visit": barrier.visit,
        "shown": dict(barrier.shown),
        "answers": {name: argument_names(model) for name, model in barrier.answers.items()},
        "reroute": list(barrier.reroute),
        "modify": list(barrier.modify),
        "deadline": barrier.deadline,
    }


def state_json(state: Any) -> dict[str, Any]:
    """The durable fields of a state as JSON data."""
    found: dict[str, Any] = json.loads(state.snapshot().model_dump_json())
    return found


def result_json(session: Session[Any], duration: float, error: LgcError | None) -> dict[str, Any]:
    """How a run ended, as JSON data."""
    return {
        "run": session.run_id,
        "status": str(session.status),
        "step": session.step,
        "state": state_json(session.state),
        "duration": duration,
        "waiting": [barrier_json(one) for one in session.waiting] if str(session.status) == "waiting" else [],
        "error": None if error is None else error_json(error),
    }


def error_json(error: Any) -> dict[str, Any]:
    """An error as JSON data."""
    told: dict[str, Any] = {"kind": type(error).__name__, "message": error.message}
    for name in ("node", "step", "expected", "actual"):
        if getattr(error, name, None) is not None:
            told[name] = getattr(error, name)
    if hasattr(error, "changes"):
        told["changes"] = [
            {"element": one.element, "kind": one.kind, "path": one.path, "text": one.text}
            for one in error.changes
        ]
    if getattr(error, "verdict", None) is not None:
        told["verdict"] = error.verdict.to_json()
    return {**told, "help": error.hint or None}
