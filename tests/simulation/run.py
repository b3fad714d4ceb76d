"""Simulate seeds, and show the first that goes wrong.

    python -m tests.simulation.run --seeds 2000 [--from 0] [--for 3600] [--jobs 2]
    python -m tests.simulation.run --seed 12345 [--trace]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import count

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
        f" lease {world.lease:g} s, trouble until {world.heal_at:.1f} s: {' '.join(sorted(world.troubles)) or 'none'}"
    )


def text_of(world: World) -> str:
    """The whole trace."""
    return "\n".join([head(world), *[line(world, row) for row in world.lines]])


def failure(seed: int) -> str:
    """What went wrong under a seed and how to see it again; "" for nothing."""
    world = simulate(World(seed))
    if not world.problems:
        return ""
    return "\n".join([head(world), *[f"  {p}" for p in world.problems], f"  see it: {COMMAND.format(seed)}"])


def block(seeds: range) -> list[str]:
    """The failures among some seeds."""
    return [found for seed in seeds if (found := failure(seed))]


def blocks(first: int, number: int | None) -> Iterable[range]:
    """Seeds in handy numbers; without end where `number` is None."""
    starts = count(first, BLOCK) if number is None else range(first, first + number, BLOCK)
    for start in starts:
        yield range(start, start + BLOCK if number is None else min(start + BLOCK, first + number))


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__)
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--trace", action="store_true", help="print all that happened under it")
    parser.add_argument("--seeds", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them (0)")
    parser.add_argument("--for", type=float, default=0.0, dest="seconds", help="go on for so many seconds")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--all", action="store_true", help="go on after a failure")
    given = parser.parse_args()
    if given.seed is not None:
        world = simulate(World(given.seed))
        print(text_of(world) if given.trace else head(world))
        print("\n".join(world.problems) or "nothing went wrong")
        return 1 if world.problems else 0
    since = time.monotonic()
    number = None if given.seconds else given.seeds
    done, failures = 0, 0
    with ProcessPoolExecutor(given.jobs) as pool:
        work = blocks(given.first, number)
        found = pool.map(block, work) if number is not None else map(block, work)
        for seeds, bad in zip(blocks(given.first, number), found, strict=False):
            done += len(seeds)
            failures += len(bad)
            for one in bad:
                print(one, flush=True)
            if (bad and not given.all) or (number is None and time.monotonic() - since > given.seconds):
                pool.shutdown(cancel_futures=True)
                break
    took = time.monotonic() - since
    print(f"{done} seeds from {given.first}: {failures} went wrong; {took:.1f} s, {done / took:.0f} seeds/s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
