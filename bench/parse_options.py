"""How fast a file of 10,000 nodes is read, with Lark's options one by one, as ratios to a floor, in time of
the processor.

The floor is `re` scanning the same text for the same tokens and nothing else. Run it as

    python bench/parse_options.py [NODES] [ROUNDS]

What was chosen, and why, stands at the end of the output.
"""

from __future__ import annotations

import gc
import re
import statistics
import sys
import time
from collections.abc import Callable

from lark import Lark

import lgc.grammar
from lgc.dsl.parse import Builder, parse
from lgc.dsl.source import Source

OPTIONS = {"parser": "lalr", "keep_all_tokens": True, "maybe_placeholders": False}


CHOSEN = """
Chosen: Lark's LALR parser, kept tables, builders and terminal callbacks inline, all tokens kept (no filter
around each rule), no collection while parsing, and a contextual lexer that scans all states with one
pattern. Trees, positions and token filtering each cost more than the whole of that."""


def generate(nodes: int) -> str:
    """A graph of so many tasks, three lines each, over a state of a few hundred fields and mutations."""
    fields = max(2, nodes // 50)
    lines = ["enum Verdict { accept, revise, reject }", "", "/// What the run knows.", "state Big {"]
    for i in range(fields):
        lines.append(f"  field_{i}: int = 0  range 0..1_000    // counts something")
        lines.append(f"  mutation Set{i}(value: int) {{ field_{i} = max(field_{i}, value + {i}) }}")
    lines += ["  verdict: Verdict?", "}", "", "graph big(Big) {"]
    for i in range(nodes):
        a, b = i % fields, (i * 7 + 1) % fields
        lines.append(f"  task node_{i} {{ reads field_{a}, field_{b}!")
        more = f'  timeout 30s  retry 3 backoff 1s..30s  impl "app.nodes:node_{i}"' if i % 4 == 0 else ""
        lines.append(f"    records Set{a}{more} }}")
    lines.append("  start -> node_0")
    for i in range(nodes - 1):
        guard = f" when field_{i % fields} >= {i} and verdict != Verdict.reject" if i % 5 == 4 else ""
        lines.append(f"  node_{i} -> node_{i + 1}{guard}")
    lines += [f"  node_{nodes - 1} -> end", "  max_steps 100_000", "}", ""]
    return "\n".join(lines)


FLOOR = re.compile(
    r"(?P<white>[ \t\r\n\f]+)|(?P<remark>//[^\n]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9][0-9A-Za-z_]*)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<sign>->|\.\.|[-+=!<>?]=|\?\?|\?\.|.)'
)


def floor(text: str) -> int:
    """Scan every token and count them."""
    return sum(1 for m in FLOOR.finditer(text) if m.lastgroup != "white")


def medians(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each piece of work: the median of some rounds, taken in turn so that noise is shared."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            gc.collect()
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def without_collection(run: Callable[[], object]) -> Callable[[], object]:
    """The same work with garbage collection off."""

    def quiet() -> object:
        gc.disable()
        try:
            return run()
        finally:
            gc.enable()

    return quiet


def main() -> None:
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    text = generate(nodes)
    grammar = lgc.grammar.text()
    tree = Lark(grammar, **OPTIONS)  # type: ignore[arg-type]
    positions = Lark(grammar, propagate_positions=True, **OPTIONS)  # type: ignore[arg-type]
    filtered = Lark(grammar, parser="lalr", maybe_placeholders=False)
    builder = Builder()
    inline = Lark(grammar, transformer=builder, **OPTIONS)  # type: ignore[arg-type]
    source = Source("big.lgraph", text)

    def build() -> object:
        builder.begin_text(source, {})
        return inline.parse(text)

    work: dict[str, Callable[[], object]] = {
        "floor: re scans the tokens": lambda: floor(text),
        "tree of all tokens": lambda: tree.parse(text),
        "tree, token filtering": lambda: filtered.parse(text),
        "tree, positions": lambda: positions.parse(text),
        "tree, no collection": without_collection(lambda: tree.parse(text)),
        "builder and terminal callbacks inline": build,
        "the same, no collection": without_collection(build),
        "parse(): the chosen way": lambda: parse(source),
    }
    found = medians(work, rounds)
    least = found["floor: re scans the tokens"]
    print(f"{nodes:,} nodes, {text.count(chr(10)):,} lines, {len(text):,} characters, {floor(text):,} tokens")
    for name, seconds in found.items():
        print(f"{seconds / least:8.1f} x floor  {seconds:7.3f} s  {name}")
    print(CHOSEN)


if __name__ == "__main__":
    main()
