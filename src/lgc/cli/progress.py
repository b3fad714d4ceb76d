"""From events and chunks of a run to lines that a person, or a program, follows."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from .terminal import Style, output_style, printable
from .wording import fields, moment, status_text, took

if TYPE_CHECKING:
    from ..runtime.events import GraphEvent, StreamChunk
    from ..runtime.session import GraphResult


class Follower(Protocol):
    """Takes everything that happens in a run, in order."""

    def event(self, event: GraphEvent) -> None:
        """The engine did something."""
        ...

    def chunk(self, chunk: StreamChunk) -> None:
        """A node sent something to display."""
        ...

    def result(self, result: GraphResult, store_words: str) -> None:
        """The run ended, or stopped to wait."""
        ...


class Lines:
    """One JSON object a line."""

    def event(self, event: GraphEvent) -> None:
        told = {"run": event.run, "span": event.span, "frame": event.frame, "node": event.node}
        self._line({"event": str(event.kind), **told, "step": event.step, "time": event.time, "data": event.data})

    def chunk(self, chunk: StreamChunk) -> None:
        told: dict[str, Any] = {"chunk": str(chunk.kind), "run": chunk.run, "frame": chunk.frame, "node": chunk.node}
        more = {"text": chunk.text, "tool": chunk.tool, "call": chunk.call, "data": chunk.data}
        self._line({**told, "step": chunk.step, **{name: value for name, value in more.items() if value}})

    def result(self, result: GraphResult, store_words: str) -> None:
        self._line({"result": result_json(result)})

    def _line(self, value: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()


class Story:
    """For people: one line for each completed node, what nodes say indented below, the end at the end."""

    def __init__(self) -> None:
        self.style: Style = output_style()
        self.begun = time.monotonic()
        self.pending: dict[tuple[str, str], str] = {}

    def event(self, event: GraphEvent) -> None:
        style = self.style
        where = f"{event.frame}/{event.node}" if event.frame else event.node
        match str(event.kind):
            case "node_completed":
                self._flush(event.frame, event.node)
                next_ = event.data.get("next", "")
                outcome = event.data.get("outcome", "ok")
                how = f" {style.yellow(str(outcome))}" if outcome != "ok" else ""
                arrow = f" {style.dim('->')} {next_}" if next_ else ""
                self._line(style.green("ok"), event.step, f"{style.bold(where)}{how}{arrow}", event)
            case "node_retried":
                text = f"{where} {style.yellow('again')}: {_error(event)}"
                self._line(style.yellow(".."), event.step, text, event)
            case "node_failed":
                self._flush(event.frame, event.node)
                self._line(style.red("!!"), event.step, f"{where} {style.red('failed')}: {_error(event)}", event)
            case "barrier_resolved":
                answer = event.data.get("answer", "")
                who = f" by {event.data['actor']}" if event.data.get("actor") else ""
                self._line(style.cyan("<-"), event.step, f"{where}: {style.bold(str(answer))}{who}", event)
            case "observed_error":
                self._line(style.yellow("!!"), event.step, f"{where or 'run'}: {_error(event)}", event)
            case _:
                pass

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

    def result(self, result: GraphResult, store_words: str) -> None:
        for key in list(self.pending):
            self._flush(*key)
        style = self.style
        elapsed = took(result.duration)
        out = sys.stdout.write
        out(f"{status_text(str(result.status), style)} {style.dim(f'after {elapsed}')}: run {result.run_id}\n")
        if result.error is not None:
            message = getattr(result.error, "message", None) or str(result.error)
            out(f"{style.red('error', bold=True)}: {printable(message)}\n")
            hint = getattr(result.error, "hint", "")
            if hint:
                out(f"  {style.blue('=')} {style.bold('help:')} {hint}\n")
        if str(result.status) in ("done", "failed"):
            for line in fields(state_json(result.state), style):
                out(line + "\n")
        for barrier in result.waiting:
            for line in barrier_lines(barrier, style, store_words):
                out(line + "\n")
        sys.stdout.flush()

    def _flush(self, frame: str, node: str) -> None:
        text = self.pending.pop((frame, node), "")
        if text:
            self._said(text)

    def _said(self, text: str) -> None:
        sys.stdout.write(f"           {self.style.dim('|')} {printable(text)}\n")
        sys.stdout.flush()

    def _line(self, mark: str, step: int, text: str, event: GraphEvent) -> None:
        duration = event.data.get("duration")
        long = f"  {self.style.dim(took(float(duration)))}" if duration is not None else ""
        elapsed = f"{time.monotonic() - self.begun:6.1f}s"
        sys.stdout.write(f"{self.style.dim(elapsed)} {step:>4} {mark} {text}{long}\n")
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
        lines.append(f"  together with --modify {' or '.join(barrier.modify)}='{{...}}' where it should be changed")
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


def result_json(result: GraphResult) -> dict[str, Any]:
    """How a run ended, as JSON data."""
    error = result.error
    return {
        "run": result.run_id,
        "status": str(result.status),
        "state": state_json(result.state),
        "steps": len(result.log),
        "duration": result.duration,
        "waiting": [barrier_json(barrier) for barrier in result.waiting],
        "error": None if error is None else {"kind": type(error).__name__, "message": str(error)},
    }
