"""How long the verdict for two versions of a large graph takes, beside reading their forms as JSON.

    python bench/places_speed.py [NODES …]

The floor is `json.loads` of both canonical forms. To reach, for 10,000 nodes: 2 s for everything from files
(on an idle machine; `lgc diff` of two files with canonical JSON is timed as a whole, start of Python
included). Times are the best of three, of the processor, but for `lgc diff`, which is timed by the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import scale_shapes

from lgc.compiler import canonical, check
from lgc.dsl.source import Source
from lgc.runtime.changes.likely import likely_renames
from lgc.runtime.changes.picture import picture_of_change
from lgc.runtime.compat.cones import Cones
from lgc.runtime.compat.places import judge_graph
from lgc.runtime.forms.version import Version


def form_of(files: dict[str, str]) -> tuple[str, str]:
    """The canonical text of the last graph of some files, and its hash."""
    sources = [Source(name, text) for name, text in files.items()]
    program = check(sources, load=lambda path: None).program
    key = [*program.graphs][-1]
    text = canonical.canonical_text(program, key)
    return text, canonical.hash_of_text(text).full


def edited(text: str, every: bool) -> tuple[str, str]:
    """The form with one edge more in the middle, or with one more at each node."""
    form: Any = json.loads(text)
    groups = [id_ for id_ in form["elements"] if id_.startswith("edges/n")]
    for id_ in groups if every else [groups[len(groups) // 2]]:
        form["elements"][id_]["when"] = [{"guard": True, "to": "end"}]
    new = json.dumps(form, sort_keys=True, separators=(",", ":"))
    return new, canonical.hash_of_text(new).full


def best(action: Callable[[], object], clock: Callable[[], float] = process_time) -> float:
    """The shortest of three runs, in milliseconds."""
    times: list[float] = []
    for _ in range(3):
        began = clock()
        action()
        times.append((clock() - began) * 1_000)
    return min(times)


def measure(name: str, text: str, hash: str, every: bool) -> None:
    """Print what one pair takes."""
    other, other_hash = edited(text, every)
    floor = best(lambda: (json.loads(text), json.loads(other)))
    read = best(lambda: (Version(hash, text), Version(other_hash, other)))
    old, new = Version(hash, text), Version(other_hash, other)
    rows = {
        "read both versions": read,
        "verdict for each place": best(lambda: judge_graph(old, new)),
        "cones ahead": best(lambda: Cones(old).ahead),
        "cones behind": best(lambda: Cones(old).behind),
        "likely renames": best(lambda: likely_renames(old, new)),
        "picture": best(lambda: picture_of_change(old, new)),
        "lgc diff, as a whole": whole(text, other),
    }
    print(f"{name}, {'every node' if every else 'one node'} changed; floor {floor:.0f} ms")
    for what, took in rows.items():
        print(f"  {what:24} {took:8.0f} ms {took / floor:7.1f} x")


def whole(text: str, other: str) -> float:
    """`lgc diff` of two files, in milliseconds."""
    lgc = Path(sys.executable).parent / "lgc"
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "old.json", Path(folder) / "new.json"]
        for path, content in zip(paths, (text, other), strict=True):
            path.write_text(content + "\n", encoding="utf-8")
        command = [str(lgc), "diff", *map(str, paths), "--format", "json"]
        return best(lambda: subprocess.run(command, capture_output=True, check=False), perf_counter)


def main() -> None:
    """Each shape, with one edit and with edits everywhere."""
    for nodes in [int(size) for size in sys.argv[1:]] or [10_000]:
        for shape in (scale_shapes.chain, scale_shapes.branches, scale_shapes.loops):
            text, hash = form_of(shape(nodes))
            for every in (False, True):
                measure(f"{shape.__name__} of {nodes:,}", text, hash, every)


if __name__ == "__main__":
    main()
