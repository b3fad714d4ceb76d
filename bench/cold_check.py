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
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
LGC = str(Path(sys.executable).parent / "lgc")
FIRST, AGAIN = "first", "again"
"""Whether what the command finds is remembered already; the first check of a file has to find it."""
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "lgc --version": [LGC, "--version"],
    f"lgc check (small file), {FIRST}": [LGC, "check", str(ROOT / "bench" / "loops.lgraph")],
    f"lgc check (small file), {AGAIN}": [LGC, "check", str(ROOT / "bench" / "loops.lgraph")],
    f"lgc check (examples/article), {FIRST}": [LGC, "check", str(ROOT / "examples" / "article")],
    f"lgc check (examples/article), {AGAIN}": [LGC, "check", str(ROOT / "examples" / "article")],
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
    with tempfile.TemporaryDirectory() as folder:
        measure(rounds, keeping, folder, clock, work)
    floors = [statistics.median(times["python -c pass"]) for times in (clock, work)]
    print("cold start, medians: clock, and processor")
    for name in COMMANDS:
        middles = [statistics.median(times[name]) for times in (clock, work)]
        shown = (f"{m:>9.1f} ms {m / f:>7.2f} x floor" for m, f in zip(middles, floors, strict=True))
        print(f"  {name:<38}", *shown)


def measure(
    rounds: int,
    environment: dict[str, str],
    folder: str,
    clock: dict[str, list[float]],
    work: dict[str, list[float]],
) -> None:
    """Run all commands in turn; milliseconds of the clock and of the processor go into the lists."""
    for turn in range(rounds + 1):
        for number, (name, command) in enumerate(COMMANDS.items()):
            fresh = str(turn) if name.endswith(FIRST) else "kept"
            environment["LGC_CACHE_DIR"] = str(Path(folder) / f"{number} {fresh}")
            began, used = perf_counter(), processor()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            if turn:  # the first only warms the disk's cache
                clock[name].append((perf_counter() - began) * 1e3)
                work[name].append((processor() - used) * 1e3)


if __name__ == "__main__":
    main()
