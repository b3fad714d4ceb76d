"""From files that were asked for to what is found in them: remembered, or checked now.

    names ─► remembered run ─────────────────────────────────────────► findings
       └───► texts ─► groups ─► remembered part ─────────────────────────┤
                         └────► check, some groups in other processes ───┘

Findings are those of one `check` of all files of a project, whichever way they come.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from . import project
from .cache import Run, Stamp, cache_for, request, settled, stamp_of
from .dsl.diagnostic import Diagnostic, Suppressed
from .dsl.frozen import frozen
from .kept_findings import Part, part_from_data, part_to_data, sources_in
from .project import Batch, Named

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any

    from .compiler.migrations.forms import Forms
    from .dsl.source import Source
    from .groups import Group
    from .stats import Stats

PAYS = 100_000
"""Bytes in other groups than the largest from which on a second process is faster, as measured."""


@frozen
class Found:
    """What was found in the files of one project, before anybody chose among the findings.

    Attributes:
        batch: the project, and the files where they had to be read.
        findings: by file and place.
        suppressed: what comments in the files silence.
        files: the paths of all files that were looked at.
        remembered: how many of these were not checked now.
    """

    batch: Batch
    findings: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    files: tuple[str, ...]
    remembered: int = 0


def found_in(
    names: Sequence[Named],
    *,
    remember: bool = True,
    stats: Stats | None = None,
    forms: Forms | None = None,
) -> list[Found]:
    """Check files, those of one project together.

    Args:
        names: the files, from `project.named`.
        remember: whether what is remembered counts, and what is found is remembered.
        stats: told about each phase.
        forms: older graphs that migrations are checked against; then nothing is remembered.

    Raises:
        ProjectError: a file cannot be read.
    """
    by_root: dict[tuple[str, bool], list[Named]] = {}
    for one in names:
        by_root.setdefault((one.settings.root, os.path.isabs(one.path)), []).append(one)
    found = [_Work(files, remember, stats, forms).found() for files in by_root.values()]
    if stats is not None:
        stats.count("files", sum(len(one.files) for one in found))
        stats.count("remembered", sum(one.remembered for one in found))
    return found


class _Work:
    """Files of one project on their way to findings."""

    def __init__(
        self, names: list[Named], remember: bool, stats: Stats | None, forms: Forms | None = None
    ) -> None:
        self.names = names
        self.forms = forms
        self.stats = stats
        self.settings = names[0].settings
        self.root = project.root_of(self.settings, absolute=os.path.isabs(names[0].path))
        self.stdin = any(one.stdin for one in names)
        remember = remember and forms is None and not self.stdin
        self.cache = cache_for(self.settings) if remember else None
        self.near = project.near(names)
        asked = [*(one.path for one in names), "", *self.near]
        self.asked = request(self.settings, self.root, asked) if self.cache else ""
        self.stamps: dict[str, Stamp | None] = {}
        self.began = time.time_ns()
        self.remembered = 0

    def mark(self, phase: str) -> None:
        """A phase has ended."""
        if self.stats is not None:
            self.stats.mark(phase)

    def found(self) -> Found:
        """What was found."""
        run = self.cache.run(self.asked) if self.cache else None
        if run is not None and run.holds():
            answer = self._from_run(run)
            self.mark("cache")
            if answer is not None:
                return answer
        self.mark("cache")
        return self._from_texts()

    # --- remembered

    def _from_run(self, run: Run) -> Found | None:
        def source(path: str) -> Source:
            found = project.text_of(path)
            if found is None or stamp_of(path) != run.files[path]:
                raise ValueError("changed meanwhile")
            return found

        part = part_from_data(run.found, source)
        if part is None:
            return None
        batch = Batch(self.settings, self.root, (), ())
        return Found(batch, part.findings, part.suppressed, part.files, len(part.files))

    def _keep(self, part: Part, groups: list[Group], texts: Mapping[str, Source]) -> None:
        """Remember the whole run."""
        from .groups import merged

        whole = merged(groups)
        found = part_to_data(part, sources_in(whole, texts))
        if self.cache is None or found is None:
            return
        stamps = {path: stamp for path, stamp in self.stamps.items() if stamp is not None}
        fresh = any(not settled(stamp, self.began) for stamp in stamps.values())
        if len(stamps) == len(self.stamps) and not fresh:
            self.cache.keep_run(self.asked, Run(stamps, tuple(sorted(whole.missing)), found))

    # --- checked

    def _from_texts(self) -> Found:
        inputs = [self._read(one) for one in self.names]
        self.mark("read")
        [batch] = project.batches(inputs)
        texts = {source.path: source for source in batch.sources}
        if self.stdin:
            from .groups import Group

            used = self._users({one.path: one.data for one in inputs})
            parts = [self._check(Group(tuple(texts), used, frozenset(), tuple(used)), texts)]
            groups: list[Group] = []
        else:
            groups, parts = self._by_groups(texts, {one.path: one.data for one in inputs})
        findings = [*batch.findings, *(finding for part in parts for finding in part.findings)]
        broken = tuple(finding.place.source.path for finding in batch.findings)
        whole = Part(
            tuple(sorted(dict.fromkeys(findings), key=Diagnostic.sort_key)),
            tuple(silenced for part in parts for silenced in part.suppressed),
            (*(path for part in parts for path in part.files), *broken),
        )
        if self.cache is not None and not any(part.strays for part in parts):
            self.cache.flush()
            self._keep(whole, groups, texts)
            self.mark("cache")
        return Found(batch, whole.findings, whole.suppressed, whole.files, self.remembered)

    def _read(self, one: Named) -> project.Input:
        if not one.stdin:
            self.stamps[one.path] = stamp_of(one.path)
        return project.read(one)

    def _users(self, given: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files nearby that use what was given."""
        from .groups import users

        there = {path: self._load(path) for path in self.near}
        return users(given, {path: data for path, data in there.items() if data is not None}, self.root)

    def _load(self, path: str) -> bytes | None:
        stamp = stamp_of(path)
        data = project.load(path)
        if data is not None:
            self.stamps[path] = stamp
        return data

    def _by_groups(
        self, texts: dict[str, Source], data: Mapping[str, bytes]
    ) -> tuple[list[Group], list[Part]]:
        """The parts of the groups, in their order."""
        from .groups import grouped, merged

        given = {path: data[path] for path in texts}
        groups = grouped(given, self._load, self.root, self._users(given) if self.near else None)
        self.mark("imports")
        digests = [self._digest(group) if self.cache is not None else "" for group in groups]
        known = [self._known(group, digest, texts) for group, digest in zip(groups, digests, strict=True)]
        self.remembered = sum(len(part.files) for part in known if part is not None)
        self.mark("cache")
        todo = [number for number, part in enumerate(known) if part is None]
        made = self._check_all([groups[number] for number in todo], texts)
        if len(groups) > 1 and any(part.strays for part in made):
            self.remembered = 0
            return groups, [self._check(merged(groups), texts)]  # they may have to do with each other
        for number, part in zip(todo, made, strict=True):
            known[number] = part
            if self.cache is None or part.strays:
                continue
            found = part_to_data(part, sources_in(groups[number], texts))
            if found is not None:
                self.cache.keep_part(digests[number], found)
        return groups, [part for part in known if part is not None]

    def _known(self, group: Group, digest: str, texts: Mapping[str, Source]) -> Part | None:
        found = self.cache.part(digest) if self.cache is not None else None
        return None if found is None else part_from_data(found, sources_in(group, texts))

    def _digest(self, group: Group) -> str:
        """All that the findings of a group depend on, beside the tool."""
        total = _blake2b()(digest_size=20)
        for text in (self.root, *group.given, "", *sorted(group.missing), "", *group.beside, ""):
            total.update(text.encode("utf-8", "surrogateescape") + b"\0")
        for path, content in group.files.items():
            total.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
        return str(total.hexdigest())

    def _check(self, group: Group, texts: Mapping[str, Source]) -> Part:
        """Check one group here."""
        from .compiler import check
        from .dsl.read import read_bytes

        strays: list[str] = []

        def load(path: str) -> bytes | None:
            if path in group.files or path in group.missing:
                return group.files.get(path)
            strays.append(path)
            return project.load(path)

        sources = [texts[path] for path in group.given]
        mark = self.stats.mark if self.stats is not None else None
        found = (read_bytes(path, group.files[path])[0] for path in group.beside)
        beside = [source for source in found if source is not None]
        checked = check(sources, load=load, root=self.root, mark=mark, beside=beside, forms=self.forms)
        if self.stats is not None:
            self.stats.checked(checked)
        files = tuple(file.source.path for file in checked.files)
        return Part(checked.diagnostics, checked.suppressed, files, tuple(strays))

    def _check_all(self, groups: list[Group], texts: Mapping[str, Source]) -> list[Part]:
        """Check groups, some of them in other processes where that pays."""
        weights = [sum(map(len, group.files.values())) for group in groups]
        count = 1
        if len(groups) > 1 and sum(weights) - max(weights) >= PAYS:
            from .parallel import processors

            count = min(processors(), len(groups))
        if count > 1:
            return self._check_apart(groups, texts, weights, count)
        return [self._check(group, texts) for group in groups]

    def _check_apart(
        self, groups: list[Group], texts: Mapping[str, Source], weights: list[int], count: int
    ) -> list[Part]:
        """Check groups in several processes; what others could not do is done here."""
        from .compiler import check
        from .parallel import in_processes

        check([], load=lambda path: None)  # loaded once, before the others begin
        own = os.getpid()
        here: dict[int, Part] = {}

        def do(number: int) -> Any:
            if os.getpid() == own:
                here[number] = self._check(groups[number], texts)
                return None
            if self.stats is not None:
                self.stats.begin_piece()
            part = self._check(groups[number], texts)
            data = None if part.strays else part_to_data(part, sources_in(groups[number], texts))
            return [data, self.stats.piece() if self.stats is not None else None]

        found = in_processes(weights, do, count)
        if self.stats is not None:
            self.stats.count("processes", count - 1)
        return [
            here[number] if number in here else self._from_other(group, texts, found.get(number))
            for number, group in enumerate(groups)
        ]

    def _from_other(self, group: Group, texts: Mapping[str, Source], found: Any) -> Part:
        """What another process found in a group; checked here where that process could not tell."""
        if found is not None:
            part = part_from_data(found[0], sources_in(group, texts))
            if part is not None:
                if self.stats is not None:
                    self.stats.add(found[1])
                return part
        return self._check(group, texts)


def _blake2b() -> Any:
    """The hash function, without the rest of `hashlib`, which takes longer to import than a file to check."""
    try:
        from _blake2 import blake2b  # pyright: ignore
    except ImportError:  # a Python that has it elsewhere
        from hashlib import blake2b
    return blake2b  # pyright: ignore
