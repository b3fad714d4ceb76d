"""How long `lgc check` of a small file takes from nothing, beside a Python that does nothing.

Both times are shown: of the clock, and of the processor (user and system), which a busy machine disturbs
less.
Compiled modules (.pyc) are there, as after an installation: the first round makes them.

python bench/cold_check.py [ROUNDS]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
LGC = str(Path(sys.executable).parent / "lgc")
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "lgc --version": [LGC, "--version"],
    "lgc check (small file)": [LGC, "check", str(ROOT / "bench" / "loops.lgraph")],
    "lgc check (examples/article)": [LGC, "check", str(ROOT / "examples" / "article")],
}


def processor() -> float:
    """Seconds of the processor that all ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    clock: dict[str, list[float]] = {name: [] for name in COMMANDS}
    work: dict[str, list[float]] = {name: [] for name in COMMANDS}
    keeping = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(rounds + 1):
        for name, command in COMMANDS.items():
            began, used = perf_counter(), processor()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=keeping)
            if turn:  # the first only warms the disk's cache
                clock[name].append((perf_counter() - began) * 1e3)
                work[name].append((processor() - used) * 1e3)
    floors = [statistics.median(times["python -c pass"]) for times in (clock, work)]
    print("cold start, medians: clock, and processor")
    for name in COMMANDS:
        middles = [statistics.median(times[name]) for times in (clock, work)]
        shown = (f"{m:>9.1f} ms {m / f:>7.2f} x floor" for m, f in zip(middles, floors, strict=True))
        print(f"  {name:<30}", *shown)


if __name__ == "__main__":
    main()
