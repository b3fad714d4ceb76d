"""How long `lgc check` of a small file takes from nothing, beside a Python that does nothing.

python bench/cold_check.py [ROUNDS]
"""

from __future__ import annotations

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


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(rounds + 1):
        for name, command in COMMANDS.items():
            began = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first only warms the disk's cache
                found[name].append((perf_counter() - began) * 1e3)
    floor = statistics.median(found["python -c pass"])
    print("cold start, medians")
    for name, times in found.items():
        middle = statistics.median(times)
        print(f"  {name:<34} {middle:>10.1f} ms  {middle / floor:>8.2f} x floor")


if __name__ == "__main__":
    main()
