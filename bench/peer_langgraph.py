"""The loops of engine_speed.py and the fan of fan_speed.py in LangGraph; run by them in `.bench-venv`.

python bench/peer_langgraph.py loop STEPS | fan BRANCHES | sqlite|growth|delta STEPS FOLDER

Prints one line of JSON. `delta` is `growth` with LangGraph's own channel for lists that grow.
"""

from __future__ import annotations

import asyncio
import json
import operator
import sqlite3
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Annotated, Any, TypedDict

from langgraph.channels.delta import DeltaChannel  # type: ignore[import-not-found]
from langgraph.checkpoint.sqlite import SqliteSaver  # type: ignore[import-not-found]
from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]


class Counter(TypedDict):
    n: int


class Pile(TypedDict):
    n: int
    pages: Annotated[list[str], operator.add]


def extended(pages: list[str] | None, more: list[list[str]]) -> list[str]:
    """What DeltaChannel asks for: the list with all that was appended."""
    return [*(pages or []), *(page for one in more for page in one)]


class DeltaPile(TypedDict):
    n: int
    pages: Annotated[list[str], DeltaChannel(extended)]


class Wide(TypedDict):
    n: Annotated[int, operator.add]


def fan(size: int) -> dict[str, float]:
    """Microseconds a branch of one step with that many nodes side by side."""

    async def tick(state: Wide) -> dict[str, int]:
        return {"n": 1}

    graph = StateGraph(Wide)
    for at in range(size):
        graph.add_node(f"n{at}", tick)
        graph.add_edge(START, f"n{at}")
    compiled = graph.compile()

    async def main() -> float:
        began = process_time()
        found = await compiled.ainvoke({"n": 0})
        assert found["n"] == size
        return process_time() - began

    asyncio.run(main())
    return {"us": asyncio.run(main()) / size * 1e6}


def loop(kind: Any, step: Any, limit: int, saver: Any = None) -> Any:
    """A graph of one node that calls itself until `n` is `limit`."""
    graph = StateGraph(kind)
    graph.add_node("tick", step)
    graph.add_edge(START, "tick")
    graph.add_conditional_edges("tick", lambda state: "tick" if state["n"] < limit else END)
    return graph.compile(checkpointer=saver)


def no_store(steps: int) -> dict[str, float]:
    async def tick(state: Counter) -> dict[str, int]:
        return {"n": state["n"] + 1}

    async def main() -> float:
        graph = loop(Counter, tick, steps)
        began = perf_counter()
        await graph.ainvoke({"n": 0}, {"recursion_limit": steps + 10})
        return perf_counter() - began

    asyncio.run(main())
    return {"us": asyncio.run(main()) / steps * 1e6}


def durable(kind: Any, step: Any, start: Any, steps: int, folder: str) -> dict[str, float]:
    times: list[float] = []

    def timed(state: Any) -> Any:
        times.append(perf_counter())
        return step(state)

    with tempfile.TemporaryDirectory(dir=folder) as place:
        base = sqlite3.connect(Path(place) / "runs.db", check_same_thread=False)
        saver = SqliteSaver(base)
        saver.setup()
        base.execute("PRAGMA synchronous=FULL")
        graph = loop(kind, timed, steps, saver)
        config = {"recursion_limit": steps + 10, "configurable": {"thread_id": "1"}}
        began = perf_counter()
        graph.invoke(start, config, durability="sync")
        spent = perf_counter() - began
        base.close()
        size = sum(file.stat().st_size for file in Path(place).iterdir())
    tenth = max(1, len(times) // 10)
    return {
        "us": spent / steps * 1e6,
        "steps": float(steps),
        "seconds": spent,
        "mb": size / 1e6,
        "first": (times[tenth] - times[0]) / tenth * 1e6,
        "last": (times[-1] - times[-1 - tenth]) / tenth * 1e6,
    }


def main() -> None:
    what, steps = sys.argv[1], int(sys.argv[2])
    if what == "fan":
        found = fan(steps)
    elif what == "loop":
        found = no_store(steps)
    elif what == "sqlite":
        found = durable(Counter, lambda state: {"n": state["n"] + 1}, {"n": 0}, steps, sys.argv[3])
    else:
        page = "x" * 1024
        step = lambda state: {"n": state["n"] + 1, "pages": [page]}  # noqa: E731
        found = durable(
            DeltaPile if what == "delta" else Pile, step, {"n": 0, "pages": []}, steps, sys.argv[3]
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
