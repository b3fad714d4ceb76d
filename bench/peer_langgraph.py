"""The loops of engine_speed.py in LangGraph; run by it in `.bench-venv`. Prints one line of JSON.

python bench/peer_langgraph.py loop STEPS | sqlite STEPS FOLDER | growth STEPS FOLDER
"""

from __future__ import annotations

import asyncio
import json
import operator
import sqlite3
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver  # type: ignore[import-not-found]
from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]


class Counter(TypedDict):
    n: int


class Pile(TypedDict):
    n: int
    pages: Annotated[list[str], operator.add]


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
        "last_to_first": (times[-1] - times[-1 - tenth]) / (times[tenth] - times[0]),
    }


def main() -> None:
    what, steps = sys.argv[1], int(sys.argv[2])
    if what == "loop":
        found = no_store(steps)
    elif what == "sqlite":
        found = durable(Counter, lambda state: {"n": state["n"] + 1}, {"n": 0}, steps, sys.argv[3])
    else:
        page = "x" * 1024
        step = lambda state: {"n": state["n"] + 1, "pages": [page]}  # noqa: E731
        found = durable(Pile, step, {"n": 0, "pages": []}, steps, sys.argv[3])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
