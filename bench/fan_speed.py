"""What a branch costs: parallels of named branches and maps, of trivial functions, without a store.

    python bench/fan_speed.py [--rounds N] [--no-peer]

The floor is `asyncio.gather` of as many coroutines. Microseconds of the processor for each branch, medians,
in turn. The functions record one mutation each, which the join applies again in branch order.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from measure import Table, build, medians, peer

from lgc.runtime import Session

SIZES = (100, 1000)

STATE = """
state Wide {
  n: int = 0
  items: list[int] = []
  mutation Tick() { n += 1 }
  mutation Keep(x: int) { items += [x] }
}
state One {
  x: int
  y: int = 0
  mutation Seen() { y = x }
}
graph one(One) {
  task look { reads x  records Seen  effect pure }
  start -> look -> end
}
graph each(Wide) {
  map all = one {
    over items as item
    in   x = item
    out  Keep(y)
  }
  start -> all -> end
}
"""


def source(sizes: tuple[int, ...] = SIZES) -> str:
    """The text of the graphs: one parallel of each size, one map."""
    graphs = [STATE]
    for size in sizes:
        nodes = [f"  task n{k} {{ records Tick  effect pure }}" for k in range(size)]
        fan = ["  parallel fan {", *(f"    branch b{k} = n{k}" for k in range(size)), "  }"]
        graphs.append("\n".join([f"graph fan{size}(Wide) {{", *fan, *nodes, "  start -> fan -> end", "}"]))
    return "\n".join(graphs)


class Nodes:
    """Every task of the graphs."""

    def __init__(self, module: Any) -> None:
        tick, seen = module.Tick, module.Seen

        async def count(ctx: Any) -> None:
            ctx.record(tick())

        async def look(ctx: Any) -> None:
            ctx.record(seen())

        self.count, self.look = count, look

    def __getattr__(self, name: str) -> Any:
        return self.count


def gathered(size: int) -> float:
    """Microseconds a branch of asyncio.gather."""

    async def nothing() -> None:
        pass

    async def main() -> float:
        began = process_time()
        await asyncio.gather(*(nothing() for _ in range(size)))
        return process_time() - began

    return asyncio.run(main()) / size * 1e6


def driven(make: Callable[[], tuple[Any, Any]], size: int, check: Callable[[Any], bool]) -> float:
    """Microseconds a branch of a run."""

    async def main() -> float:
        graph, state = make()
        session = await Session.start(graph, state)
        began = process_time()
        result = await session.run()
        spent = process_time() - began
        assert check(result.state)
        return spent

    return asyncio.run(main()) / size * 1e6


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=9)
    words.add_argument("--no-peer", action="store_true")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        module = build(Path(name), "fan", source())
    nodes = Nodes(module)
    for size in SIZES:
        fan = getattr(module, f"fan{size}")(nodes)
        each = module.each(nodes, one=module.one(nodes))
        found = medians(
            given.rounds,
            floor=lambda: gathered(size),  # noqa: B023 - called at once
            parallel=lambda: driven(lambda: (fan, module.Wide()), size, lambda s: s.n == size),  # noqa: B023
            map=lambda: driven(
                lambda: (each, module.Wide(items=list(range(size)))),  # noqa: B023
                size,  # noqa: B023
                lambda s: len(s.items) == 2 * size,  # noqa: B023
            ),
        )
        table = Table(f"{size} trivial branches, each", "µs")
        table.floor("asyncio.gather", found["floor"])
        table.row("lgc, a parallel", found["parallel"], goal="20 µs")
        table.row("lgc, a map (a graph for each element)", found["map"], goal="20 µs")
        other = None if given.no_peer else peer("fan", str(size))
        if other is not None:
            table.row("LangGraph", other["us"])
        table.show()


if __name__ == "__main__":
    main()
