"""Mistakes in data: types, defaults, constraints, merges, mutations, calls with arguments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lgc.dsl import ast
from lgc.dsl.source import Span

from .operators import operator
from .places import Edit, Site, base_of, shared_writes, walk, without

LOST = "of two updates made side by side one is lost, or the join refuses both"


@operator("drop `merge`")
def _drop_merge(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        if field.merge is not None:
            yield site.edit(f"{field.name.text}: drop {site.of(field.merge.span)}", (field.merge.span, ""))


@operator("`=` in place of `+=` where branches write", harm=LOST)
def _assign(site: Site) -> Iterator[Edit]:
    for mutation, statement, name in _side_by_side(site):
        if statement.op == "+=":
            span = Span(statement.target.span.end, statement.value.span.start)
            yield site.edit(f"{mutation.name.text}: {name} =", (span, " = "))


@operator("a mutation that sets where branches write", harm=LOST)
def _overwrite(site: Site) -> Iterator[Edit]:
    for _, statement, name in _side_by_side(site):
        call = statement.value
        if isinstance(call, ast.Call) and call.name.text in ("max", "min"):
            args = [a.value for a in call.args if not _is_field(a.value, name)]
            if args:
                yield site.replace(call.span, site.of(args[0].span))


def _side_by_side(site: Site) -> Iterator[tuple[ast.Mutation, ast.Assign, str]]:
    """The statements whose field another branch changes too, where nothing says how they are joined."""
    shared = shared_writes(site.case)
    everything = [pair for one in site.case.sites() for pair in one.fields]
    merged = {(state.name.text, field.name.text) for state, field in everything if field.merge is not None}
    for state, mutation in site.mutations:
        for statement in mutation.body or ():
            name = base_of(statement.target)
            place = (state.name.text, mutation.name.text, name)
            if (
                isinstance(statement, ast.Assign)
                and place in shared
                and (state.name.text, name) not in merged
            ):
                yield mutation, statement, name


def _is_field(expr: ast.Expr, name: str) -> bool:
    return isinstance(expr, ast.Ref) and expr.name == name


SWAPS = {
    "str": "int",
    "int": "str",
    "float": "str",
    "bool": "str",
    "decimal": "str",
    "uuid": "int",
    "date": "int",
}


@operator("swap a field's type")
def _swap_type(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        for part in walk(field.type):
            if isinstance(part, ast.NamedType) and part.name in SWAPS:
                yield site.edit(f"{field.name.text}: {SWAPS[part.name]}", (part.span, SWAPS[part.name]))


@operator("swap a parameter's type")
def _swap_param(site: Site) -> Iterator[Edit]:
    for _, mutation in site.mutations:
        for param in mutation.params:
            for part in walk(param.type) if param.type else ():
                if isinstance(part, ast.NamedType) and part.name in SWAPS:
                    words = f"{mutation.name.text}({param.name.text}: {SWAPS[part.name]})"
                    yield site.edit(words, (part.span, SWAPS[part.name]))


@operator("make a field optional")
def _optional(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        if not isinstance(field.type, ast.OptionalType):
            end = Span(field.type.span.end, field.type.span.end)
            yield site.edit(f"{field.name.text}: optional", (end, "?"))


@operator("drop `?` of a field")
def _not_optional(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        if isinstance(field.type, ast.OptionalType):
            end = Span(field.type.item.span.end, field.type.span.end)
            yield site.edit(f"{field.name.text}: not optional", (end, ""))


@operator("drop a default")
def _drop_default(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        if field.default is not None:
            span = Span(field.type.span.end, field.default.span.end)
            yield site.edit(f"{field.name.text}: no default", (span, ""))


@operator("a default outside the field's constraint")
def _bad_default(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        for constraint in field.constraints:
            new = "-987654"
            if field.default is not None and isinstance(constraint, ast.RangeConstraint) and constraint.low:
                yield site.edit(f"{field.name.text} = {new}", (field.default.span, new))


@operator("bounds the wrong way round")
def _bad_bounds(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        for one in field.constraints:
            if isinstance(one, (ast.RangeConstraint, ast.LengthConstraint)) and one.low and one.high:
                a, b = site.of(one.low.span), site.of(one.high.span)
                yield site.edit(f"{field.name.text}: {b}..{a}", (one.low.span, b), (one.high.span, a))


@operator("drop a constraint")
def _drop_constraint(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        for one in field.constraints:
            yield site.edit(f"{field.name.text}: drop {site.of(one.span)}", (one.span, ""))


@operator("mark a field transient")
def _transient(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        if not field.transient:
            start = Span(field.span.start, field.span.start)
            yield site.edit(f"transient {field.name.text}", (start, "transient "))


@operator("drop a field")
def _drop_field(site: Site) -> Iterator[Edit]:
    for _, field in site.fields:
        yield site.edit(f"drop field {field.name.text}", (field.span, ""))


@operator("drop a mutation")
def _drop_mutation(site: Site) -> Iterator[Edit]:
    for _, mutation in site.mutations:
        yield site.edit(f"drop mutation {mutation.name.text}", (mutation.span, ""))


@operator("drop a statement of a mutation")
def _drop_statement(site: Site) -> Iterator[Edit]:
    for _, mutation in site.mutations:
        for statement in mutation.body or ():
            yield site.edit(
                f"{mutation.name.text}: drop {site.of(statement.span)[:40]}", (statement.span, "")
            )


@operator("a statement that sets a field none")
def _set_none(site: Site) -> Iterator[Edit]:
    for state, mutation in site.mutations:
        fields = [i for i in state.items if isinstance(i, ast.Field) and isinstance(i.type, ast.OptionalType)]
        for field in fields:
            if mutation.body:
                last = mutation.body[-1].span.end
                yield site.edit(
                    f"{mutation.name.text}: {field.name.text} = none",
                    (Span(last, last), f"  {field.name.text} = none"),
                )


@operator("drop a parameter")
def _drop_param(site: Site) -> Iterator[Edit]:
    for _, mutation in site.mutations:
        for at, param in enumerate(mutation.params):
            change = without(site, mutation.params, at) if len(mutation.params) > 1 else (param.span, "")
            yield site.edit(f"{mutation.name.text}: drop {param.name.text}", change)


@operator("drop a member of an enum")
def _drop_member(site: Site) -> Iterator[Edit]:
    for enum in (d for d in site.tree.declarations if isinstance(d, ast.Enum)):
        for at in range(len(enum.members)):
            yield site.edit(
                f"{enum.name.text} without {enum.members[at].name.text}", without(site, enum.members, at)
            )


@operator("a further member of an enum")
def _new_member(site: Site) -> Iterator[Edit]:
    for enum in (d for d in site.tree.declarations if isinstance(d, ast.Enum)):
        end = Span(enum.members[-1].span.end, enum.members[-1].span.end)
        yield site.edit(f"{enum.name.text} with another member", (end, ", another_one"))


def _calls(site: Site) -> Iterator[tuple[str, tuple[ast.Arg, ...]]]:
    for graph in site.graphs:
        for part in walk(graph.items):
            if isinstance(part, ast.MutationCall) and part.args:
                yield part.name.text, part.args


@operator("drop an argument of a call")
def _drop_argument(site: Site) -> Iterator[Edit]:
    for name, args in _calls(site):
        for at in range(len(args)):
            change = without(site, args, at) if len(args) > 1 else (args[at].span, "")
            yield site.edit(f"{name}(): drop {site.of(args[at].span)}", change)


@operator("swap two arguments of a call")
def _swap_arguments(site: Site) -> Iterator[Edit]:
    for name, args in _calls(site):
        for one, other in pairwise(args):
            a, b = one.value.span, other.value.span
            yield site.edit(f"{name}(): swap", (a, site.of(b)), (b, site.of(a)))
