"""From a written `checkpoint { … }` to the policies that it stands for (LG603 where they mean nothing)."""

from __future__ import annotations

from typing import Literal, cast

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.source import Span
from ..context import Unit, unique
from ..model import Adaptive, Checkpointing
from .constants import number
from .constraints import count
from .nodes import choice

Event = Literal["barrier", "decision", "completion", "mutation"]
EVENTS: tuple[Event, ...] = ("barrier", "decision", "completion", "mutation")
WEIGHTS = ("duration", "tokens", "effects")
THRESHOLD = "threshold"


def checkpointing(unit: Unit, settings: list[ast.CheckpointSetting]) -> Checkpointing:
    """The checkpoint policies of a graph. Without any trigger it is `every 1 step`."""
    for again in settings[1:]:
        label = Label(unit.place(settings[0].span), "first here")
        unit.error("LG102", "`checkpoint` stands twice in this graph", again.span, related=(label,))
    if not settings:
        return Checkpointing()
    return _Settings(unit).read(settings[0])


class _Settings:
    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.seen: dict[str, Span] = {}

    def once(self, what: str, span: Span) -> None:
        """Report a setting that stands there twice."""
        first = self.seen.setdefault(what, span)
        if first is not span:
            label = Label(self.unit.place(first), "first here")
            self.unit.error("LG102", f"`{what}` is set twice", span, related=(label,))

    def length(self, written: ast.DurationLit, what: str) -> int:
        """A duration that is more than nothing, in milliseconds."""
        if written.milliseconds <= 0:
            self.unit.error("LG603", f"`{what} {written.text}` has no meaning", written.span)
        return written.milliseconds

    def read(self, setting: ast.CheckpointSetting) -> Checkpointing:
        """All rules of one block."""
        unit = self.unit
        steps: int | None = None
        every: int | None = None
        events: list[Event] = []
        adaptive: Adaptive | None = None
        manual: ast.ManualRule | None = None
        keep_count: int | None = None
        keep_ms: int | None = None
        compact: int | None = None
        for rule in setting.rules:
            match rule:
                case ast.EveryRule(count=written, duration=length):
                    self.once("every … steps" if length is None else "every …", rule.span)
                    if length is not None:
                        every = self.length(length, "every")
                    elif written is not None:
                        steps = count(unit, written, "every") or 1
                case ast.OnEventsRule(events=names):
                    self.once("on", rule.span)
                    events.extend(self.events(names))
                case ast.AdaptiveRule():
                    self.once("adaptive", rule.span)
                    adaptive = self.adaptive(rule)
                case ast.ManualRule():
                    self.once("manual", rule.span)
                    manual = rule
                case ast.KeepRule(count=written, duration=length):
                    self.once("keep", rule.span)
                    keep_count = None if written is None else count(unit, written, "keep")
                    keep_ms = None if length is None else self.length(length, "keep")
                case ast.CompactRule(count=written):
                    self.once("compact", rule.span)
                    compact = None if written is None else count(unit, written, "compact")
        triggered = bool(steps or every or events or adaptive)
        if manual is not None and triggered:
            message = "`manual` means only when asked, but another trigger stands beside it"
            unit.error("LG603", message, manual.span, help="leave out one of them")
        if not triggered and manual is None:
            steps = 1
        kinds: tuple[Event, ...] = tuple(event for event in EVENTS if event in events)
        return Checkpointing(steps, every, kinds, adaptive, manual is not None, keep_count, keep_ms, compact)

    def events(self, names: tuple[ast.Name, ...]) -> list[Event]:
        """The known ones; reports LG002 for others."""
        found = [
            name for name in unique(self.unit, "event", names) if choice(self.unit, "event", name, EVENTS)
        ]
        return [cast(Event, name.text) for name in found]

    def adaptive(self, rule: ast.AdaptiveRule) -> Adaptive:
        """The weights and the threshold of an adaptive trigger."""
        unit = self.unit
        values: dict[str, float] = {}
        known = {name.span for name in unique(unit, "weight", (name for name, _ in rule.weights))}
        for name, written in rule.weights:
            if name.span not in known or not choice(unit, "weight", name, (*WEIGHTS, THRESHOLD)):
                continue
            value = number(written)
            if value is None:
                unit.error("LG201", f"`{name.text}` takes a number", written.span)
            elif value < 0 or (value == 0 and name.text == THRESHOLD):
                unit.error("LG603", f"`{name.text} {value:g}` has no meaning", written.span)
            values[name.text] = abs(value or 0.0)
        if THRESHOLD not in values:
            message = "`adaptive` without a threshold never makes a checkpoint"
            unit.error("LG603", message, rule.span, help="add `threshold 100.0`")
        elif not any(values.get(weight) for weight in WEIGHTS):
            message = "`adaptive` weighs nothing: no weight is more than zero"
            unit.error("LG603", message, rule.span, help="add `duration 1.0`, `tokens …` or `effects …`")
        weights = [values.get(weight, 0.0) for weight in WEIGHTS]
        return Adaptive(weights[0], weights[1], weights[2], values.get(THRESHOLD, 0.0))
