"""From what was found in files to the findings that count: by codes, severities and what is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from . import project
from .dsl.diagnostic import Diagnostic, Severity, Suppressed
from .dsl.frozen import frozen
from .settings import ProjectError, Settings

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from .accepting import Accepting
    from .compiler import Checked
    from .dsl.fingerprint import Identity
    from .dsl.report import More

# A text that cannot be read is always told.
ALWAYS = frozenset({"LG001", "LG002", "LG003", "LG004", "LG005", "LG006"})


@frozen
class Result:
    """One project's files after checking.

    Attributes:
        batch: the files; without their texts where what was found is remembered.
        known: what the compiler made of them, None where what was found is remembered.
        files: the paths of all files that were looked at.
        findings: also those about bytes that are no text.
        suppressed: those that a comment or the baseline silences.
    """

    batch: project.Batch
    known: Checked | None
    files: tuple[str, ...]
    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...] = ()

    @property
    def checked(self) -> Checked:
        """What the compiler made of the files. Raises RuntimeError where nobody asked for it."""
        if self.known is None:
            raise RuntimeError("only the findings of these files were asked for")
        return self.known

    @property
    def sound(self) -> bool:
        """Whether nothing stands in the way of using the program."""
        return not any(one.severity is Severity.ERROR for one in self.findings)

    def with_findings(self, more: Iterable[Diagnostic]) -> Result:
        """The same with further findings."""
        return self.judged((*self.findings, *more), self.suppressed)

    def judged(self, kept: tuple[Diagnostic, ...], silenced: tuple[Suppressed, ...]) -> Result:
        """The same with other findings."""
        return Result(self.batch, self.known, self.files, kept, silenced)


def prints(result: Result) -> dict[Identity, str]:
    """The fingerprints of a result's findings, paths relative to the project's folder."""
    from .dsl.fingerprint import fingerprints

    found = [*result.findings, *(one.finding for one in result.suppressed)]
    return fingerprints(found, result.batch.in_project)


@frozen
class Judged:
    """What is said of some files.

    Attributes:
        results: each project's files, without what its baseline accepts.
        findings: those that count.
        suppressed: those that were silenced, and would count.
        accepting: the baselines in use.
    """

    results: tuple[Result, ...]
    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    accepting: Accepting | None = None


def judge(
    results: Iterable[Result],
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    baseline: str | None = "",
) -> Judged:
    """The findings that count, and those that are silenced.

    Args:
        results: what was found.
        select, ignore: codes or beginnings of codes; they go before the settings, see `Choice`.
        baseline: the file with accepted findings, "" for what the settings call so, None for none.

    Raises:
        ProjectError: a code is none, or a baseline cannot be read.
    """
    only, without = split_codes(select), split_codes(ignore)
    results = list(results)
    accepting = _accepting(results, baseline)
    kept: list[Diagnostic] = []
    silenced: list[Suppressed] = []
    for number, result in enumerate(results):
        if accepting is not None:
            result = results[number] = accepting.apply(result)
        choice = Choice(only, without, result.batch.settings)
        kept += choice.of(result.findings)
        silenced += choice.of_suppressed(result.suppressed)
        if accepting is not None:
            kept += choice.of(accepting.reports(result))
    return Judged(tuple(results), tuple(kept), tuple(silenced), accepting)


def _accepting(results: Iterable[Result], baseline: str | None) -> Accepting | None:
    """The baselines to use, if there are any."""
    if baseline is None or not (baseline or any(one.batch.settings.baseline for one in results)):
        return None
    from .accepting import Accepting

    return Accepting(baseline)


def more_of(judged: Judged, form: str, stats: Mapping[str, object] | None = None) -> More:
    """What a report in one of the formats tells beside the findings."""
    from .dsl.report import More

    if form not in ("json", "sarif"):
        return More(judged.suppressed)
    from . import __version__
    from .compiler.rules import BY_CODE

    return More(judged.suppressed, _prints(judged), BY_CODE, __version__, stats)


def _prints(judged: Judged) -> Mapping[Identity, str]:
    from .dsl.fingerprint import fingerprints

    found = fingerprints(judged.findings)  # those of the results are put over these
    for result in judged.results:
        found |= prints(result)
    return found


# --- which findings count ---------------------------------------------------------------------------------


def split_codes(values: Iterable[str], where: str = "") -> tuple[str, ...]:
    """Codes and beginnings of codes from options like `LG1,LG503`, or from a setting, named by `where`.

    Raises:
        ProjectError: one is neither.
    """
    codes = tuple(code.strip().upper() for value in values for code in value.split(",") if code.strip())
    for code in codes:
        if code == "ALL":
            continue
        from .compiler.rules import BY_CODE

        if not any(known.startswith(code) for known in BY_CODE):
            from .compiler.spelling import Speller

            near = Speller().nearest(code, BY_CODE)
            hint = f"did you mean `{near}`?" if near else "codes look like LG503; `lgc explain` lists them"
            raise ProjectError(f"{where}`{code}` is not a code or the beginning of one", hint)
    return tuple("LG" if code == "ALL" else code for code in codes)


class Choice:
    """Which findings of a project count, and with which severity; the longest fitting code decides.

    `only` and `without` are the codes on the command line. They go before the project's settings: `only`
    instead of `select`, `without` beside `ignore`.
    """

    def __init__(self, only: Sequence[str], without: Sequence[str], settings: Settings) -> None:
        origin = settings.origin and f"{settings.path(settings.origin)}: "
        self.select = only or split_codes(settings.select, f"{origin}`select`: ")
        self.ignore = (*without, *split_codes(settings.ignore, f"{origin}`ignore`: "))
        split_codes(settings.severity, f"{origin}`severity`: ")
        self.severity = {code.upper(): level for code, level in settings.severity.items()}

    def of(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that count."""
        counted = (self._one(finding) for finding in found)
        return [one for one in counted if one is not None]

    def of_suppressed(self, found: Iterable[Suppressed]) -> list[Suppressed]:
        """The silenced findings that would count."""
        pairs = ((self._one(one.finding), one) for one in found)
        return [
            Suppressed(new, one.reason, one.place, one.in_source) for new, one in pairs if new is not None
        ]

    def _one(self, finding: Diagnostic) -> Diagnostic | None:
        if finding.code in ALWAYS:
            return finding
        wanted = _longest(finding.code, self.select) if self.select else 0
        unwanted = _longest(finding.code, self.ignore)
        if wanted < 0 or unwanted >= wanted:
            return None
        level = self.severity.get(_longest_key(finding.code, self.severity), "")
        if level == "off":
            return None
        if level and level != finding.severity:
            from dataclasses import replace

            return replace(finding, severity=Severity(level))
        return finding


def _longest(code: str, beginnings: Iterable[str]) -> int:
    """How much of the code the longest of the beginnings covers, -1 where none fits."""
    return max((len(one) for one in beginnings if code.startswith(one)), default=-1)


def _longest_key(code: str, severity: Mapping[str, str]) -> str:
    return max((one for one in severity if code.startswith(one)), key=len, default="")
