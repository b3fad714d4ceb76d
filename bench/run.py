"""All measurements, one after the other; figures are only comparable within one run.

python bench/run.py [--only NAME ...]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = {
    "cold_check": "cold start of the command",
    "parse_options": "Lark's options, parsing",
    "check_speed": "parsing and checking 1,000 and 10,000 nodes",
    "scale": "every shape of program, as it grows (with --sizes 10000 100000: by hand)",
    "format_speed": "formatting",
    "hash_speed": "canonical form and hash",
    "store_speed": "stores",
    "postgres_speed": "the store in PostgreSQL, where there is a server or one can be made",
    "engine_speed": "the engine, beside floors and LangGraph",
    "fan_speed": "parallels and maps, beside asyncio.gather and LangGraph",
    "runs_speed": "many runs in one process",
    "restore_speed": "finding a run again",
    "places_speed": "the verdict for two versions of a graph with 10,000 nodes",
    "drift_speed": "which of 10,000 parked runs can go on under an edited graph",
}
WORDS = {"scale": ["--sizes", "1000", "10000"]}


def _server() -> bool:
    script = str(HERE.parent / ".ci" / "postgres")
    return (
        "LGC_TEST_POSTGRES" in os.environ
        or not subprocess.run(["bash", script, "find"], capture_output=True, check=False).returncode
    )


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--only", nargs="+", default=[], choices=SCRIPTS, help="some of them")
    given = words.parse_args()
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    failed: list[str] = []
    for name, what in SCRIPTS.items():
        if given.only and name not in given.only:
            continue
        print(f"\n=== {what} (bench/{name}.py)", flush=True)
        if name == "postgres_speed" and not _server():
            print("left out: there is no PostgreSQL server here (see .ci/postgres)")
            continue
        if subprocess.run(
            [sys.executable, str(HERE / f"{name}.py"), *WORDS.get(name, [])], check=False
        ).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
