"""Simulate seeds, and show the first that goes wrong.

python -m tests.simulation.run --seeds 2000 [--from 0] [--for 3600] [--jobs 2]
python -m tests.simulation.run --seed 12345 [--trace]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256

from .world import World, simulate

BLOCK = 100
COMMAND = "python -m tests.simulation.run --seed {} --trace"


def line(world: World, row: tuple[float, str, str, str, str]) -> str:
    """One line of a trace."""
    when, process, what, run, text = row
    return f"{when:10.4f}  {process:<8} {what:<10} {run:<3} {text}".rstrip()


def head(world: World) -> str:
    """What the seed has drawn."""
    return (
        f"seed {world.seed}: shape {world.shape.number}, {len(world.inputs)} runs, {world.handles.__name__},"
        f" lease {world.lease:g} s, trouble until {world.heal_at:.1f} s:"
        f" {' '.join(sorted(world.troubles)) or 'none'}"
    )


def text_of(world: World) -> str:
    """The whole trace."""
    return "\n".join([head(world), *[line(world, row) for row in world.lines]])


def failure(seed: int, troubles: tuple[str, ...] | None = None) -> str:
    """What went wrong under a seed and how to see it again; "" for nothing."""
    world = simulate(World(seed, troubles))
    if not world.problems:
        return ""
    return "\n".join([head(world), *[f"  {p}" for p in world.problems], f"  see it: {COMMAND.format(seed)}"])


def block(seeds: range) -> list[str]:
    """The failures among some seeds."""
    return [found for seed in seeds if (found := failure(seed))]


def digest(seed: int) -> str:
    """A short form of all that happens under a seed."""
    return sha256(text_of(simulate(World(seed))).encode()).hexdigest()[:16]


def waves(first: int, seeds: int, seconds: float, jobs: int) -> Iterator[list[range]]:
    """Blocks of seeds to simulate side by side: so many seeds, or new ones until the time is over."""
    since, at = time.monotonic(), first
    while time.monotonic() - since < seconds if seconds else at < first + seeds:
        end = at + jobs * BLOCK if seconds else min(at + jobs * BLOCK, first + seeds)
        yield [range(start, min(start + BLOCK, end)) for start in range(at, end, BLOCK)]
        at = end


def one(seed: int, trace: bool) -> int:
    """Simulate one seed and show it; the exit status."""
    world = simulate(World(seed))
    print(text_of(world) if trace else head(world))
    print("\n".join(world.problems) or "nothing went wrong")
    return 1 if world.problems else 0


def many(given: argparse.Namespace) -> int:
    """Simulate many seeds; the exit status."""
    since, done, failures = time.monotonic(), 0, 0
    with ProcessPoolExecutor(given.jobs) as pool:
        for wave in waves(given.first, given.seeds, given.seconds, given.jobs):
            found = [text for texts in pool.map(block, wave) for text in texts]
            done += sum(map(len, wave))
            failures += len(found)
            print("\n".join(found), end="\n" if found else "", flush=True)
            if found and not given.all:
                break
    took = time.monotonic() - since
    last = given.first + done - 1
    print(f"seeds {given.first} to {last}: {failures} went wrong; {took:.0f} s, {done / took:.0f} seeds/s")
    return 1 if failures else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.run", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--trace", action="store_true", help="print all that happened under it")
    parser.add_argument("--seeds", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them (0)")
    parser.add_argument("--for", type=float, default=0.0, dest="seconds", help="go on for so many seconds")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--all", action="store_true", help="go on after a failure")
    parser.add_argument("--digest", action="store_true", help="print a hash of each trace instead")
    given = parser.parse_args()
    if given.seed is not None:
        return one(given.seed, given.trace)
    if given.digest:
        for seed in range(given.first, given.first + given.seeds):
            print(seed, digest(seed))
        return 0
    return many(given)


if __name__ == "__main__":
    sys.exit(main())
