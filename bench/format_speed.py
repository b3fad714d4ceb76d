"""How long formatting takes beside parsing: 10,000 definitions, about 30,000 lines.

Run ``python bench/format_speed.py [definitions]``. The aim is at most 1 s for 10,000 definitions, and the
same time per line at every size.
"""

from __future__ import annotations

import sys
from time import perf_counter

from lgc.dsl.format import format_file
from lgc.dsl.parse import parse
from lgc.dsl.source import Source

_STATE = """\
/// State of part {n}.
state Part{n} {{
  topic: str
  draft: str? // none until written
  score: float = 0.0 range 0.0..1.0
  notes: list[str] = ["a", "b"]
  mutation SetDraft(text: str) {{ draft = text score += 0.5 }}
}}
graph part{n}(Part{n}) {{
  task write {{ reads topic records SetDraft ensures draft }}
  task grade {{
    reads draft!, score, notes
    records SetDraft
    timeout 5s
    retry 3 backoff 1s..30s
  }}
  // the way
  start -> write -> grade
  grade -> write when score < 0.5 and (draft == none or len(notes) > {n}) max_visits 3
  grade -> end else
}}
"""


def text_of(definitions: int) -> str:
    """A text with so many definitions: states, fields, mutations, graphs and nodes."""
    return "\n".join(_STATE.format(n=number) for number in range(definitions // 9))


def measure(definitions: int) -> tuple[int, float, float]:
    """Lines, and the best of three times in seconds: to parse, and to format what was parsed."""
    source = Source("bench.lgraph", text_of(definitions))
    parsing = formatting = float("inf")
    for _ in range(3):
        begin = perf_counter()
        parsed = parse(source)
        middle = perf_counter()
        text = format_file(parsed.file)
        formatting = min(formatting, perf_counter() - middle)
        parsing = min(parsing, middle - begin)
        assert not parsed.diagnostics
        assert format_file(parse(Source("bench.lgraph", text)).file) == text
    return source.text.count("\n"), parsing, formatting


def main() -> None:
    """Print one row a size."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{'definitions':>11} {'lines':>7} {'parse s':>8} {'format s':>8} {'ratio':>6} {'µs a line':>9}")
    for definitions in (largest // 10, largest):
        lines, parsing, formatting = measure(definitions)
        print(
            f"{definitions:>11} {lines:>7} {parsing:>8.3f} {formatting:>8.3f} {formatting / parsing:>6.2f}"
            f" {formatting / lines * 1e6:>9.1f}"
        )


if __name__ == "__main__":
    main()
