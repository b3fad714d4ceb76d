"""How checking grows: each shape of program at 10,000 and at 100,000 nodes, in a process of its own.

    python bench/scale.py [--shapes NAME …] [--sizes N …] [--rules] [--commands]

Times are seconds of the processor. *Floor* is one compiled regular expression that cuts the same text into
words and does nothing with them; *rules/parse* is what the proofs cost beside reading; *growth* is the time
of the larger size by that of the smaller, where 10 is linear. `--rules` shows the time of each rule,
`--commands` runs `lgc check`, `hash`, `build` and `fmt` on the files instead: each must end with a result or
a finding.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from scale_shapes import SHAPES, Files

LGC = str(Path(sys.executable).parent / "lgc")
WORDS = r'//[^\n]*|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|\d[\d_.]*[a-z]*|->|\.\.|[=!<>+-]=|[^\s\w]'
LONGEST = 300  # seconds that one measurement may take
STAGES = ("floor", "parse", "resolve", "rules")


def measure(files: Files) -> dict[str, Any]:
    """Seconds of each stage and of each rule, lines, findings and the peak of memory in MB."""
    import gc
    import re
    import resource

    from lgc.compiler.analyses import Analyses
    from lgc.compiler.context import Context
    from lgc.compiler.graph_view import GraphView
    from lgc.compiler.project import load_project
    from lgc.compiler.resolve import resolve
    from lgc.compiler.rules import RULES
    from lgc.dsl.source import Source

    clock = time.process_time
    gc.disable()
    sys.setrecursionlimit(5_000)
    at = [clock()]
    word = re.compile(WORDS)
    for text in files.values():
        for found in word.finditer(text):
            found.group()
    at.append(clock())
    context = Context()
    sources = [Source(path, text) for path, text in files.items()]
    project = load_project(context, sources, lambda path: None, None)
    at.append(clock())
    resolved = resolve(context, project)
    at.append(clock())
    rules: dict[str, float] = {}
    findings = context.findings
    for rule in RULES:
        if rule.check_program is not None:
            began = clock()
            findings.extend(rule.check_program(resolved))
            rules[rule.code] = clock() - began
    analyses = Analyses(resolved.program, resolved.gaps)
    for key, graph in resolved.program.graphs.items():
        began = clock()
        view = GraphView(graph, resolved.gaps[key], analyses)
        rules["view"] = rules.get("view", 0.0) + clock() - began
        for rule in RULES:
            if rule.check is not None:
                began = clock()
                findings.extend(rule.check(view))
                rules[rule.code] = rules.get(rule.code, 0.0) + clock() - began
    at.append(clock())
    stages = {name: at[n + 1] - at[n] for n, name in enumerate(STAGES)}
    return {
        **stages,
        "each": rules,
        "lines": sum(text.count("\n") for text in files.values()),
        "bytes": sum(map(len, files.values())),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "findings": len(findings),
        "first": str(findings[0].code + " " + findings[0].message) if findings else "",
    }


def apart(shape: str, size: int) -> dict[str, Any] | str:
    """The figures of one program, measured in a process of its own; in words where there are none."""
    command = [sys.executable, __file__, "--one", shape, str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {LONGEST} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:200]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(shapes: list[str], sizes: list[int], each: bool) -> bool:
    """Print the figures of all shapes; whether all of them could be taken and nothing was found."""
    head = ("shape", "size", "lines", *STAGES, "total", "µs/line", "x floor", "rules/parse", "MB", "growth")
    print("{:10} {:>8} {:>8}".format(*head[:3]), *(f"{name:>8}" for name in head[3:]))
    fine = True
    for shape in shapes:
        before = 0.0
        for size in sizes:
            found = apart(shape, size)
            if isinstance(found, str):
                print(f"{shape:10} {size:>8,}  {found}", flush=True)
                fine, before = False, 0.0
                continue
            total = found["parse"] + found["resolve"] + found["rules"]
            growth = f"{total / before:>8.1f}" if before else f"{'':8}"
            before = total
            print(
                f"{shape:10} {size:>8,} {found['lines']:>8,}",
                *(f"{found[name]:>8.3f}" for name in STAGES),
                f"{total:>8.3f} {total / found['lines'] * 1e6:>8.1f} {total / found['floor']:>8.1f}",
                f"{found['rules'] / found['parse']:>11.2f} {found['memory']:>8.0f} {growth}",
                flush=True,
            )
            if found["findings"]:
                fine = False
                print(f"{'':10} {found['findings']:,} findings: {found['first'][:120]}")
            if each:
                dear = sorted(found["each"].items(), key=lambda entry: -entry[1])[:6]
                print(f"{'':10}", *(f"{code} {took:.3f}" for code, took in dear if took >= 0.001))
    return fine


def commands(shapes: list[str], sizes: list[int]) -> bool:
    """Run the commands on the files; whether each ended with a result or a finding."""
    words = {
        "check": ["check", "."],
        "hash": ["hash", "."],
        "build": ["build", ".", "--out", "out"],
        "fmt": ["fmt", "--check", "."],
    }
    environment = {**os.environ, "NO_COLOR": "1", "LGC_CACHE_DIR": ""}
    fine = True
    print(f"{'shape':10} {'size':>8}", *(f"{name:>22}" for name in words))
    for shape in shapes:
        for size in sizes:
            shown: list[str] = []
            with tempfile.TemporaryDirectory() as folder:
                for path, text in SHAPES[shape](size).items():
                    Path(folder, path).write_text(text, encoding="utf-8")
                for command in words.values():
                    began = time.perf_counter()
                    try:
                        done = subprocess.run(
                            [LGC, *command],
                            cwd=folder, env=environment, timeout=LONGEST, check=False,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                        )  # fmt: skip
                    except subprocess.TimeoutExpired:
                        shown.append(f"> {LONGEST} s")
                        fine = False
                        continue
                    took = time.perf_counter() - began
                    last = (done.stderr.strip().splitlines() or [""])[0]
                    bad = done.returncode not in (0, 1) or "Traceback" in done.stderr
                    fine = fine and not bad
                    shown.append(f"{took:.2f} s, {done.returncode}" + (f" {last[:90]}" if bad else ""))
            print(f"{shape:10} {size:>8,}", *(f"{one:>22}" for one in shown), flush=True)
    return fine


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=SHAPES, help="some of them")
    words.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000])
    words.add_argument("--rules", action="store_true", help="the dearest rules of each")
    words.add_argument("--commands", action="store_true", help="whole commands instead")
    words.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.one:
        print(json.dumps(measure(SHAPES[given.one[0]](int(given.one[1])))))
        return 0
    if given.commands:
        return 0 if commands(given.shapes, given.sizes) else 1
    return 0 if table(given.shapes, given.sizes, given.rules) else 1


if __name__ == "__main__":
    sys.exit(main())
