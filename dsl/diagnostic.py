"""A finding as data: code, severity, words, place, further places, repair. Printing is elsewhere (report).

Codes are permanent: ``LG`` and three digits, never reused. What a code means stands with the rule that
raises it; this file only says what a finding is made of.
"""

from __future__ import annotations

from enum import StrEnum

from .frozen import frozen
from .source import Place, Span


class Severity(StrEnum):
    """How bad a finding is; errors make a graph unusable, warnings do not."""

    ERROR = "error"
    WARNING = "warning"


@frozen
class Label:
    """A further place that takes part in a finding, and what it has to do with it."""

    place: Place
    text: str


@frozen
class Fix:
    """One repair that a machine may apply: replace ``span`` of the finding's own source by ``text``."""

    span: Span
    text: str
    title: str


@frozen
class Diagnostic:
    """One finding.

    Attributes:
        code: ``LG`` and three digits.
        severity: error or warning.
        message: one sentence in the user's own words, without a final stop.
        place: where it is.
        label: a few words shown under the underlined span ("" for none).
        help: how to repair it, "" where nothing helps.
        related: further places, each with its own words.
        fix: the one right repair, where there is one.
        within: the declaration and the item of it in which it is: ``graph g/task t``, "" where unknown.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    label: str = ""
    help: str = ""
    related: tuple[Label, ...] = ()
    fix: Fix | None = None
    within: str = ""

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Findings are shown by file, then by place, then by code."""
        return (self.place.source.path, self.place.span.start, self.place.span.end, self.code, self.message)


@frozen
class Suppressed:
    """A finding that does not count, because somebody said why it need not.

    Attributes:
        finding: what was found.
        reason: in that person's words.
        place: of the comment, or of the entry in the baseline, that says so.
        in_source: whether that stands in the source itself.
    """

    finding: Diagnostic
    reason: str
    place: Place
    in_source: bool


def error(code: str, message: str, place: Place, **more: object) -> Diagnostic:
    """An error finding; ``more`` are the further attributes of `Diagnostic`."""
    return Diagnostic(code, Severity.ERROR, message, place, **more)  # type: ignore[arg-type]


def warning(code: str, message: str, place: Place, **more: object) -> Diagnostic:
    """A warning finding; ``more`` are the further attributes of `Diagnostic`."""
    return Diagnostic(code, Severity.WARNING, message, place, **more)  # type: ignore[arg-type]
