"""From canonical forms, in files or in a store, to versions of graphs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..runtime.forms.version import Version, version_from
from .stores import shown, store_url, with_store
from .terminal import Failure, counted
from .wording import short_hash

if TYPE_CHECKING:
    from ..dsl.diagnostic import Diagnostic
    from ..runtime.store.protocols import Store
    from ..runtime.store.records import RunRecord

STORE = "store:"
"""What a graph of a store begins with on the command line."""

_HASH = re.compile(r"(?:lg1:)?([0-9a-f]{16,64})")


@dataclass(frozen=True, slots=True)
class Found:
    """One graph of what was given.

    Attributes:
        name: of the graph.
        version: the graph.
        file: the source that declares it, "" where it does not come from a source.
        operational: the operational canonical JSON, "" where it does not come from a source.
        against: what speaks against its migrations, given the canonical JSON of older graphs; None where it
            does not come from a source.
    """

    name: str
    version: Version
    file: str = ""
    operational: str = ""
    against: Callable[[Sequence[str]], Sequence[Diagnostic]] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What one side of a comparison stands for.

    Attributes:
        written: as a person wrote it.
        graphs: in the order found.
        notes: what that person should know about how it was read, one sentence each.
    """

    written: str
    graphs: tuple[Found, ...]
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """As written, without the password of a store."""
        if not self.written.startswith(STORE):
            return self.written
        url, mark, hash_ = self.written.removeprefix(STORE).partition("#")
        return f"{STORE}{shown(url)}{mark}{hash_}"


def inner_hashes(version: Version) -> dict[str, str]:
    """The hashes of the graphs that a version runs, by the name that its form gives them."""
    families = ((id_.partition("/"), element) for id_, element in version.elements.items())
    return {
        label: str(element.get("hash")) for (family, _, label), element in families if family == "subgraph"
    }


def link(version: Version, by_hash: Mapping[str, Version]) -> None:
    """Give a version those of the graphs that it runs, as far as they are known by their hashes."""
    for label, hash_ in inner_hashes(version).items():
        if label not in version.inner and hash_ in by_hash:
            version.inner[label] = by_hash[hash_]


def link_all(versions: Iterable[Version]) -> None:
    """The same for all of some versions, among themselves."""
    given = list(versions)
    known = {version.hash: version for version in with_inner(given)}
    for version in (*given, *known.values()):
        link(version, known)


def with_inner(versions: Iterable[Version]) -> list[Version]:
    """Versions and all that they run, each hash once."""
    found: dict[str, Version] = {}
    waiting = list(versions)
    while waiting:
        version = waiting.pop()
        other = found.get(version.hash)
        if other is None or len(other.inner) < len(version.inner):
            found[version.hash] = version
            waiting += version.inner.values()
    return list(found.values())


# --- files ------------------------------------------------------------------------------------------------


def from_text(written: str, text: str, graph: str = "") -> list[Found]:
    """The graphs of a JSON text: one form, several lines of one each, or what `lgc hash --canonical --json`
    prints.

    Raises:
        Failure: it holds none, or something else; or none of the name `graph`.
    """
    versions = [_version(written, form) for form in _forms(written, text)]
    link_all(versions)
    found = [Found(version.name, version) for version in versions]
    if graph:
        names = ", ".join(f"`{one.name}`" for one in found)
        found = [one for one in found if one.name == graph]
        if not found:
            raise Failure(f"no graph `{graph}` in {written}", f"it holds {names}")
    return found


def _forms(written: str, text: str) -> list[str]:
    try:
        whole: Any = json.loads(text)
    except RecursionError:
        raise Failure(f"{written}: nested too deeply") from None
    except ValueError:
        return [line for line in text.splitlines() if line.strip()]
    listed: Any = whole.get("graphs") if isinstance(whole, dict) and "elements" not in whole else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(listed, list):
        return [text]
    forms: list[str] = []
    for one in listed:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(one, dict) or "canonical" not in one:
            raise Failure(f"{written} holds hashes, not forms", "write it with `lgc hash --canonical`")
        forms.append(json.dumps(one["canonical"], ensure_ascii=False))
    if not forms:
        raise Failure(f"no graph in {written}")
    return forms


def _version(written: str, form: str) -> Version:
    from ..compiler.canonical import hash_of_text

    try:
        return Version(hash_of_text(form).full, form)
    except ValueError as problem:
        hint = "a canonical form is what `lgc hash --canonical` prints"
        raise Failure(f"{written}: {problem}", hint) from None


# --- stores -----------------------------------------------------------------------------------------------


def from_store(written: str, graph: str = "") -> tuple[list[Found], list[str]]:
    """The graphs of `store:URL#HASH`, and remarks. The store is only read.

    Without `#HASH`: for each graph with runs, the version that its newest run is under.
    Raises Failure, StorageError.
    """
    url, hash_ = _split(written)
    return with_store(url, lambda store: _stored(store, written, hash_, graph), reading=True)


def _split(written: str) -> tuple[str, str]:
    """URL and digits of the hash; a `#` in the name of a file is no hash."""
    rest = written.removeprefix(STORE)
    url, mark, tail = rest.rpartition("#")
    if not mark:
        return rest, ""
    match = _HASH.fullmatch(tail)
    if match is None:
        raise Failure(
            f"`{tail}` is no hash of a graph",
            "a hash is `lg1:` and 64 digits, or at least the first 16 of them",
        )
    return url, match[1]


async def _stored(store: Store, written: str, digits: str, graph: str) -> tuple[list[Found], list[str]]:
    where = shown(store_url(_split(written)[0]))
    if len(digits) == 64:
        hashes = [f"lg1:{digits}"]
    else:
        runs = await store.list_runs()
        if digits:
            hashes = [await _only(store, where, digits, runs)]
        else:
            hashes, notes = _newest(where, runs, graph)
            return [await _form(store, where, one) for one in hashes], notes
    return [await _form(store, where, one) for one in hashes], []


async def _form(store: Store, where: str, hash_: str) -> Found:
    try:
        version = await version_from(hash_, store.get_graph)
    except ValueError as problem:
        raise Failure(f"{where}: the form of {short_hash(hash_)} is damaged: {problem}") from None
    if version is None:
        canonical = await store.get_graph(hash_)
        if canonical is None:
            raise Failure(f"{where} holds no graph {short_hash(hash_)}", "see `lgc runs --json` for hashes")
        version = Version(hash_, canonical)  # a graph that it runs is not there: compared by its hash
    return Found(version.name, version)


async def _only(store: Store, where: str, digits: str, runs: Sequence[RunRecord]) -> str:
    """The full hash of a short one, among the graphs of runs and those that these run."""
    seen: dict[str, None] = {}
    waiting = list(dict.fromkeys(run.hash for run in runs))
    for run in runs if not any(_fits(one, digits) for one in waiting) else ():
        waiting += [one for override in await store.overrides(run.run) for one in (override.expected,)]
    while waiting:
        hash_ = waiting.pop()
        if hash_ not in seen:
            seen[hash_] = None
            form = await store.get_graph(hash_)
            waiting += [] if form is None else inner_hashes(Version(hash_, form)).values()
    fitting = [one for one in seen if _fits(one, digits)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Failure(f"{where}: {digits} could be {len(fitting)} graphs", "give more digits")
    raise Failure(f"{where} holds no graph lg1:{digits}", "see `lgc runs --json` for the hashes of runs")


def _fits(hash_: str, digits: str) -> bool:
    return hash_.startswith(f"lg1:{digits}")


def _newest(where: str, runs: Sequence[RunRecord], graph: str) -> tuple[list[str], list[str]]:
    """For each graph the hash that its newest run is under, and what was left out."""
    by_name: dict[str, dict[str, None]] = {}
    for run in runs:  # newest first
        if not graph or run.graph == graph:
            by_name.setdefault(run.graph, {})[run.hash] = None
    if not by_name:
        raise Failure(f"{where} holds no runs" + (f" of `{graph}`" if graph else ""))
    notes: list[str] = []
    for name, hashes in sorted(by_name.items()):
        first, *others = map(short_hash, hashes)
        if others:
            more = ", ".join(others[:5]) + (" …" if others[5:] else "")
            versions = counted(len(others) + 1, "version")
            notes.append(
                f"{where} has runs of `{name}` under {versions}: the newest is taken, {first};"
                f" #HASH names another: {more}"
            )
    return [next(iter(hashes)) for _, hashes in sorted(by_name.items())], notes
