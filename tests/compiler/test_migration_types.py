"""What the checker says of kept fields is what happens to their values, on drawn types and values."""

from __future__ import annotations

import random
from typing import Any

from lgc.compiler import check
from lgc.compiler.canonical import canonical_text, graph_hash
from lgc.compiler.migrations.fitting import Fitting
from lgc.compiler.migrations.reading import read_form
from lgc.dsl.source import Source
from lgc.runtime.forms.version import Version
from lgc.runtime.migrating.values import Carrier, Misfit

# Two versions of the same declarations.
BEFORE = """\
enum Mood { good, bad }
enum Way { left, right, back }
enum Same { one, two }
record Cat { lives: int = 9 }
record Dog { name: str  age: int = 1 }
record Cow { milk: float }
record Box { size: int  note: str? }
union Pet = Cat | Dog
union Farm = Cow | Dog
"""
AFTER = """\
enum Mood { good, bad, fair }
enum Way { left, right }
enum Same { one, two }
record Cat { lives: float = 9.0 }
record Dog { name: str  age: int = 1  owner: str }
record Cow { milk: float  spots: int = 0 }
record Box { size: int }
union Pet = Cat | Dog | Cow
union Farm = Cow | Cat
"""
SCALARS = ("str", "int", "float", "bool")
NAMED = ("Mood", "Way", "Same", "Cat", "Dog", "Cow", "Box", "Pet", "Farm")
KEYS = ("str", "Mood", "Way")


def drawn(chance: random.Random, depth: int = 2) -> str:
    """A type, as written."""
    pick = chance.random()
    if depth and pick < 0.15:
        return f"list[{drawn(chance, depth - 1)}]"
    if depth and pick < 0.22:
        return f"set[{chance.choice(KEYS)}]"
    if depth and pick < 0.32:
        return f"dict[{chance.choice(KEYS)}, {drawn(chance, depth - 1)}]"
    if depth and pick < 0.45:
        inner = drawn(chance, depth - 1)
        return inner if inner.endswith("?") else f"{inner}?"
    return chance.choice(SCALARS if pick < 0.6 else NAMED)


def near(chance: random.Random, type: str) -> str:
    """A type that is often the same, or almost."""
    pick = chance.random()
    if pick < 0.5:
        return type
    if pick < 0.65:
        return type.removesuffix("?") if type.endswith("?") else f"{type}?"
    return drawn(chance) if pick < 0.75 else type.replace("int", "float").replace("Cat", "Pet")


def graph(declarations: str, types: list[str]) -> str:
    fields = "".join(f"  f{number}: {type}\n" for number, type in enumerate(types))
    nodes = "graph g(S) {\n  task t { reads * }\n  start -> t -> end\n}\n"
    return f"{declarations}state S {{\n{fields}}}\n{nodes}"


def form(text: str) -> Version:
    program = check([Source("a.lgraph", text)], load=lambda _: None).program
    (key,) = program.graphs
    return Version(graph_hash(program, key).full, canonical_text(program, key))


def values(version: Version, type: Any, chance: random.Random) -> Any:
    """A stored value of a type."""
    match type:
        case "str":
            return chance.choice(["", "a"])
        case "int":
            return chance.randrange(5)
        case "float":
            return chance.choice([0.5, 2.5])
        case "bool":
            return chance.random() < 0.5
        case ["optional", item]:
            return None if chance.random() < 0.4 else values(version, item, chance)
        case ["list", item]:
            return [values(version, item, chance) for _ in range(chance.randrange(4))]
        case ["set", item]:
            return sorted({values(version, item, chance) for _ in range(3)})
        case ["dict", key, item]:
            return {values(version, key, chance): values(version, item, chance) for _ in range(2)}
        case ["enum", label]:
            return chance.choice(version.elements[f"enum/{label}"]["members"])
        case ["record", label]:
            fields = version.elements[f"record/{label}"]["fields"]
            return {name: values(version, field["type"], chance) for name, field in fields.items()}
        case ["union", label]:
            member = chance.choice(version.elements[f"union/{label}"]["members"])
            return {"kind": member, **values(version, ["record", member], chance)}
        case _:
            raise AssertionError(type)


def no_states(data: Any, old: str, new: str) -> Any:
    raise AssertionError("no states here")


def test_what_is_said_of_types_is_what_happens_to_values() -> None:
    chance = random.Random(11)
    before = [drawn(chance) for _ in range(400)]
    after = [near(chance, type) for type in before]
    old, new = form(graph(BEFORE, before)), form(graph(AFTER, after))
    fitting = Fitting(read_form(old.canonical), read_form(new.canonical))
    carrier = Carrier(old, new, no_states)
    outcomes: dict[bool, int] = {True: 0, False: 0}
    for name, held in fitting.old.fields.items():
        why = fitting.why_not(held.type, fitting.new.fields[name].type)
        id = f"state/field/{name}"
        types = old.elements[id]["type"], new.elements[id]["type"]
        misfits: list[str] = []
        for _ in range(60):
            value = values(old, types[0], chance)
            try:
                carrier.carry(value, *types)
            except Misfit as misfit:
                misfits.append(f"{value}: {misfit}")
        outcomes[why is None] += 1
        assert (why is None) == (not misfits), (*types, why, misfits[:1])
    assert min(outcomes.values()) > 80, outcomes
