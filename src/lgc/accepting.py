"""From the baseline files of projects to the findings that they accept, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable

from .baseline import Acceptance, Baseline, read_baseline
from .compiler.rules import BY_CODE
from .dsl.diagnostic import Diagnostic
from .judged import prints
from .settings import ProjectError

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from .judged import Result


class Accepting:
    """The baselines that a command uses: one for all projects, or each project's own."""

    def __init__(self, given: str = "", read: Callable[[str], Baseline] | None = None) -> None:
        self._given = given
        self._read = read or baseline_at
        self._by_path: dict[str, Acceptance] = {}
        self._told: set[str] = set()

    def apply(self, result: Result) -> Result:
        """The result without what its baseline accepts."""
        acceptance = self._of(result)
        if acceptance is None:
            return result
        kept, accepted = acceptance.split(result.findings, prints(result))
        silenced = (*result.suppressed, *accepted)
        return result.judged(tuple(kept), silenced)

    def reports(self, result: Result) -> list[Diagnostic]:
        """What is wrong with the entries of the baseline about the files of a result that was applied."""
        acceptance = self._of(result)
        if acceptance is None:
            return []
        looked = looked_at(result, acceptance.baseline)
        return [one for one in acceptance.reports(looked) if self._new(one)]

    def paths(self) -> list[str]:
        """The files that were read."""
        return list(self._by_path)

    def _new(self, finding: Diagnostic) -> bool:
        """Whether a finding was not told before: projects may share a baseline."""
        key = f"{finding.place} {finding.message}"
        if key in self._told:
            return False
        self._told.add(key)
        return True

    def _of(self, result: Result) -> Acceptance | None:
        from datetime import datetime

        path = path_of(result, self._given)
        if not path:
            return None
        if path not in self._by_path:
            today = datetime.now().astimezone().date()
            self._by_path[path] = Acceptance(self._read(path), today)
        return self._by_path[path]


def path_of(result: Result, given: str) -> str:
    """The baseline file for a result: the one given, else the one in its settings; "" for none."""
    settings = result.batch.settings
    return given or (settings.path(settings.baseline) if settings.baseline else "")


def baseline_at(path: str) -> Baseline:
    """The baseline in a file. Raises ProjectError where it cannot be read, or is none."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return read_baseline(path, file.read())
    except FileNotFoundError:
        raise ProjectError(f"{path}: no such file", "`lgc check --write-baseline` makes it") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path} is not UTF-8") from None
    except OSError as error:
        raise ProjectError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def looked_at(result: Result, baseline: Baseline | None) -> dict[str, bool]:
    """The files that were checked, relative to the project, and whether all their findings came to light.

    Rules about graphs keep silent where names and types are wrong. A file of the baseline that is gone has no
    findings any more.
    """
    errors = [one for one in result.findings if not BY_CODE[one.code].allowable]
    whole = not any(one.severity == "error" for one in errors)
    batch = result.batch
    looked = {batch.in_project(path): whole for path in result.files}
    for entry in baseline.entries if baseline is not None else ():
        if entry.file not in looked and not os.path.exists(os.path.join(batch.root, entry.file)):
            looked[entry.file] = True
    return looked
