"""What a run of a small graph must look like: its steps, states and status, without an engine.

The graph: `a`, a subgraph `s` with `i` in it, `pay` (`effect once`), the barrier `ok`, which sends the run
back to `a` or on to `c` and the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GRAPH = """
state In {
  m: int = 0
  mutation Inc(by: int) { m += by }
}
state S {
  n: int = 0
  xs: list[int] = []
  mutation Add(by: int) { n += by }
  mutation Push(x: int) { xs += [x] }
}
graph inner(In) { task i { reads *  records Inc }  start -> i -> end }
graph g(S) {
  task a { reads *  records Add, Push }
  subgraph s = inner { in m = n  out Add(m) }
  task pay { reads *  records Push  effect once }
  barrier ok { timeout 1h  shows n  modify Push }
  task c { reads *  records Add }
  start -> a -> s -> pay -> ok
  ok -> c on approve
  ok -> a on reject
  ok -> c on timeout
  c -> end
  checkpoint { every 4 steps  compact 3 steps }
}
"""
HOUR = 3600.0

Step = tuple[str, str, int, str]  # frame, node, visit, outcome
Seen = tuple[int, tuple[int, ...]]  # n, xs


@dataclass
class Answer:
    """An answer that was accepted and not applied yet."""

    name: str
    pushed: int | None = None


@dataclass
class Model:
    """A run.

    Attributes:
        at: the node that it stands at, `end` in the end.
        log, states: what each step was, and the state after it (`states[0]`: before the first).
        begun: whether `pay` was called and did not end.
        answer: what was accepted for the barrier that it stands at, or will come to.
    """

    at: str = "a"
    n: int = 0
    xs: list[int] = field(default_factory=list[int])
    log: list[Step] = field(default_factory=list[Step])
    states: list[Seen] = field(default_factory=lambda: [(0, ())])
    visits: dict[str, int] = field(default_factory=dict[str, int])
    begun: bool = False
    answer: Answer | None = None
    m: int = 0

    @property
    def seen(self) -> Seen:
        """The state as it can be compared."""
        return self.n, tuple(self.xs)

    def visit(self, node: str) -> int:
        """Which visit the next one of a node is."""
        return self.visits.get(node, 0) + 1

    def step(self, outcome: str = "ok", pushed: int | None = None) -> None:
        """Complete the node that the run stands at."""
        node, frame = self.at, "s" if self.at == "i" else ""
        visit = 1 if node == "i" else self.visit(node)
        match node:
            case "a":
                n = self.n
                self.n += 1 + visit
                self.xs.append(n)
                self.m, self.at = self.n, "i"
            case "i":
                self.m, self.at = self.m + 10, "s"
            case "s":
                self.n, self.at = self.n + self.m, "pay"
            case "pay":
                self.begun, self.at = False, "ok"
                self.xs += [] if outcome == "skip" else [-1 if pushed is None else pushed]
            case "ok":
                self.answer = None
                self.xs += [] if pushed is None else [pushed]
                self.at = "a" if outcome == "reject" else "c"
            case _:
                self.n, self.at = self.n + 1000, "end"
        self.visits[node] = visit
        self.log.append((frame, node, visit, outcome))
        self.states.append(self.seen)

    def advance(self, broken: str, late: bool) -> str:
        """Go on as far as a session does: `done`, `waiting`, `failed`, `uncertain`.

        `late`: whether the time of the barrier that the run stands at is over.
        """
        while self.at != "end":
            if self.at == "pay" and self.begun:
                return "uncertain"
            if self.at == broken:
                self.begun = self.at == "pay"
                return "failed"
            if self.at != "ok":
                self.step()
            elif self.answer is not None:
                self.step(self.answer.name, self.answer.pushed)
                late = False
            elif late:
                self.step("timeout")
            else:
                return "waiting"
        return "done"
