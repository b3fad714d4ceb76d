"""Expressions of a form give what generated code gives: random guards and mutations, in random states."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from tests.codegen.test_codegen_expressions import HEAD, Writer, guards_of, states

from lgc.compiler import Checked, check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source
from lgc.runtime.errors import LgcError
from lgc.runtime.forms.version import version_of_plan
from lgc.runtime.graph import Graph
from lgc.runtime.machine.completion import complete
from lgc.runtime.machine.frame import Frame, evaluated
from lgc.runtime.values.typed_json import decode_checkpoint, encode_state

FIELDS = {
    "i": "int", "f": "float", "g": "float", "d": "dec", "s": "str", "t": "str", "b": "bool", "xs": "ints",
    "fs": "floats", "ss": "strs", "e": "e", "o": "e", "p": "p", "q": "p", "u": "p",
}  # fmt: skip
UPDATES = (
    "i += <int>", "i -= <int>", "i = max(i, <int>)", "f += <float>", "f -= <int>", "d += <dec>", "d -= <dec>",
    "s += <str>", "xs += <ints>", "fs += [<float>]", "is_ += <ints>", "is_ -= <ints>", "dd[<str>] = <int>",
    "dd[<str>] += <int>", "del dd[<str>]", 'dd += {"a": <int>}', "p.n = <int>", "p.n += <int>",
    "p.tags += <strs>", "de[<e>] = <ints>", "es += [<e>]", "yss += [<ints>]", "p.t = <str>",
    "f = min(f, <float>)", "dd[<str>] = max(dd[<str>], <int>)",
)  # fmt: skip


def module_of(checked: Checked, name: str) -> ModuleType:
    """The generated module."""
    module = ModuleType(name)
    sys.modules[name] = module
    code = generate(checked.program, checked.program.modules[0], version="0")
    exec(compile(code, f"{name}.py", "exec"), module.__dict__)  # noqa: S102
    return module


def outcome(function: Callable[..., Any], *values: Any) -> Any:
    """What something gives, or that it fails: both fail in the same places, whatever they say."""
    try:
        return function(*values)
    except LgcError:
        return "fails"


class Zero:
    """Counters of a run that has done nothing."""

    def visits(self, node: str) -> int:
        return 0

    def steps(self) -> int:
        return 0


@pytest.mark.parametrize("seed", range(100, 101))
def test_guards_agree_with_generated_code(seed: int) -> None:
    checked, _ = guards_of(seed, 120)
    module = module_of(checked, f"form_guards_{seed}")
    form = version_of_plan(module.G_PLAN).graph.plan
    made, found = module.G_PLAN.routes["n"].edges, form.routes["n"].edges
    assert [edge.key for edge in found] == [edge.key for edge in made]
    held = 0
    for state in states(module, seed, 20):
        kind: Any = form.state
        same = kind.restore(decode_checkpoint(kind, encode_state(state)), {})
        for one, other in zip(made, found, strict=True):
            if one.guard is None or other.guard is None:
                continue
            expected = outcome(evaluated, one.guard.test, state, Zero())
            got = outcome(evaluated, other.guard.test, same, Zero())
            assert got == expected, f"{one.guard.text}\n{other.guard.text}\n{state}"
            held += expected is True
    assert held > 100


def mutated(seed: int) -> tuple[Checked, str]:
    """A program with random mutations; what the checker refuses is left out."""
    writer = Writer(seed)
    bodies: list[str] = []
    for _ in range(70):
        r = writer.random
        if r.random() < 0.5:
            field = r.choice(sorted(FIELDS))
            bodies.append(f"{field} = {writer(FIELDS[field], r.randint(1, 4))}")
        else:
            head, *rest = r.choice(UPDATES).split("<")
            bodies.append(head + "".join(
                writer(part.partition(">")[0], r.randint(0, 2)) + part.partition(">")[2] for part in rest
            ))  # fmt: skip
    bodies = [body for body in bodies if "//" not in body]  # it may begin a comment
    while True:
        lines = [f"  mutation M{n}() {{ {body} }}" for n, body in enumerate(bodies)]
        head = HEAD.replace("  mutation M(i)\n}", "\n".join(lines) + "\n}")
        first = HEAD.splitlines().index("  mutation M(i)") + 1
        text = f"{head}graph g(S) {{\n  task n {{ reads *  records M0 }}\n  start -> n -> end\n}}\n"
        checked = check([Source("given.lgraph", text)], load=lambda _: None)
        wrong = [d for d in checked.diagnostics if d.severity == "error"]
        bad = {d.place.position.line - first for d in wrong}
        if not wrong:
            return checked, text
        kept = [body for number, body in enumerate(bodies) if number not in bad]
        assert len(kept) < len(bodies), wrong
        bodies = kept


@pytest.mark.parametrize("seed", range(200, 202))
def test_mutations_agree_with_generated_code(seed: int) -> None:
    checked, text = mutated(seed)
    module = module_of(checked, f"form_mutations_{seed}")
    compiled: Graph[Any] = Graph(module.G_PLAN, {}, {})
    graphs = compiled, version_of_plan(module.G_PLAN).graph
    names = list(module.S.__lg_mutations__)
    assert len(names) > 30
    changed = 0
    for state in states(module, seed, 6):
        before = encode_state(state)
        for name in names:
            results: list[Any] = []
            for graph in graphs:
                kind: Any = graph.plan.state
                assert (
                    kind.__lg_mutations__[name].__lg_writes__ == module.S.__lg_mutations__[name].__lg_writes__
                )
                frame = Frame(graph, kind.restore(decode_checkpoint(kind, before), {}))
                frame.node = "n"
                mutation = kind.__lg_mutations__[name]()
                results.append(outcome(state_after, frame, mutation, module))
            assert results[0] == results[1], f"{name} of\n{text}\n{before}"
            changed += results[0] != "fails"
    assert changed > 60


def state_after(frame: Frame, mutation: Any, module: ModuleType) -> Any:
    """The state after a mutation, as generated code reads and writes it."""
    complete(frame, "ok", [mutation])
    return encode_state(module.S.restore(decode_checkpoint(module.S, encode_state(frame.state)), {}))
