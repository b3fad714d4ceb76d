"""From a written state to the model's: fields with defaults and constraints, mutations with typed bodies."""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl import ast
from ...dsl.diagnostic import Label
from ...dsl.source import Place
from .. import model
from ..context import FieldShape, Tables, Unit, unique
from ..model import DictOf, Expr, ListOf, OptionalOf, SetOf, StateType, Type, Unknown
from ..narrowing import Facts, path_of
from ..types import BYTES, FLOAT, INT, STR, UNKNOWN, base, resolve_type, show
from .constraints import Constraints, merge
from .data import constant, target_name
from .expressions import Scope, Typer
from .operators import result


def shape_state(unit: Unit, written: ast.State, tables: Tables) -> None:
    """Enter the types of the state's fields; reports what is declared twice (LG102)."""
    shapes: dict[str, FieldShape] = {}
    mutations: dict[str, ast.Name] = {}
    for item in written.items:
        name, place = item.name.text, unit.place(item.name.span)
        first = shapes[name].place if name in shapes else None
        if first is None and name in mutations:
            first = unit.place(mutations[name].span)
        if isinstance(item, ast.Mutation):
            if first is None:
                mutations[name] = item.name
            else:
                unit.twice("mutation", item.name, first)
            continue
        type = resolve_type(unit, item.type, transient=item.transient, field=True)
        if first is None:
            shapes[name] = FieldShape(type, item.default is not None, item.transient, place)
        else:
            unit.twice("field", item.name, first)
    tables.states[unit.key(written.name.text)] = shapes


def shape_mutations(unit: Unit, written: ast.State, tables: Tables) -> None:
    """Enter the parameters of the state's mutations; needs the types of its fields."""
    key = unit.key(written.name.text)
    fields = tables.states[key]
    signatures: dict[str, tuple[model.Param, ...]] = {}
    for item in written.items:
        if isinstance(item, ast.Mutation) and item.name.text not in signatures:
            signatures[item.name.text] = tuple(_params(unit, item, fields))
    tables.mutations[key] = signatures


def _params(unit: Unit, written: ast.Mutation, fields: dict[str, FieldShape]) -> Iterator[model.Param]:
    short = written.body is None and written.target is None
    seen: dict[str, ast.Name] = {}
    for param in written.params:
        name = param.name
        if name.text in seen:
            unit.twice("parameter", name, unit.place(seen[name.text].span))
            continue
        seen[name.text] = name
        field = fields.get(name.text)
        type: Type = UNKNOWN if param.type is None else resolve_type(unit, param.type)
        if short:
            if field is None:
                unit.undefined("field", name, fields, where=f" in `{written.name.text}`, which has no body")
            elif param.type is None:
                type = field.type
        elif param.type is None:
            help = f"write `{name.text}: {show(field.type)}`" if field is not None else ""
            unit.error("LG002", f"parameter `{name.text}` has no type", name.span, help=help)
        elif field is not None:
            unit.error(
                "LG102",
                f"parameter `{name.text}` has the name of a field",
                name.span,
                related=(Label(field.place, "the field"),),
                help="only a mutation without a body, which assigns its parameters, may name fields",
            )
        yield model.Param(name.text, type, unit.place(name.span))


def state(unit: Unit, written: ast.State, uses: set[model.Key]) -> model.State:
    """The state of the model; `uses` collects the declarations that its expressions name."""
    key = unit.key(written.name.text)
    tables = unit.context.tables
    shapes, signatures = tables.states[key], tables.mutations[key]
    typer = Typer(Scope(unit, constant=shapes, uses=uses), mismatch="LG206")
    known = _Fields(shapes)
    fields: dict[str, model.Field] = {}
    mutations: dict[str, model.Mutation] = {}
    for item in written.items:
        name = item.name.text
        if isinstance(item, ast.Field):
            if name not in fields and name in shapes:
                fields[name] = _field(unit, item, shapes[name].type, typer)
        elif name not in mutations and name not in shapes:
            mutations[name] = Body(unit, item, known, signatures[name], uses).mutation()
    return model.State(
        key, tuple(fields.values()), tuple(mutations.values()), written.doc, unit.place(written.name.span)
    )


def _field(unit: Unit, written: ast.Field, type: Type, typer: Typer) -> model.Field:
    name = written.name.text
    constraints = Constraints(unit, written, type)
    default: Expr | None = None
    if written.default is not None:
        default = constant(typer, written.default, type, name)
        broken = constraints.broken_by(default)
        if broken is not None:
            message = f"the default of `{name}` breaks its own constraint: {broken}"
            unit.error("LG207", message, default.place.span)
    merged = None if written.merge is None else merge(unit, written.merge, name, type)
    return model.Field(
        name,
        type,
        default,
        constraints.range,
        constraints.length,
        constraints.pattern,
        merged,
        written.transient,
        written.doc,
        unit.place(written.name.span),
    )


class _Fields:
    """The fields of a state as all its mutations see them: shapes, types, and each one's turn."""

    __slots__ = ("shapes", "turn", "types")

    def __init__(self, shapes: dict[str, FieldShape]) -> None:
        self.shapes = shapes
        self.types = {name: shape.type for name, shape in shapes.items()}
        self.turn = {name: number for number, name in enumerate(shapes)}


class Body:
    """Types one mutation; knows what its statements have established so far."""

    def __init__(
        self,
        unit: Unit,
        written: ast.Mutation,
        fields: _Fields,
        params: tuple[model.Param, ...],
        uses: set[model.Key],
    ) -> None:
        self.unit = unit
        self.written = written
        self.fields = fields.shapes
        self.turn = fields.turn
        self.params = params
        self.typer = Typer(Scope(unit, fields.types, {p.name: p.type for p in params}, uses=uses))
        self.facts: Facts = {}
        self.written_fields: set[str] = set()

    def mutation(self) -> model.Mutation:
        """The mutation of the model."""
        written, unit = self.written, self.unit
        body: tuple[model.Statement, ...] = ()
        external: model.PythonName | None = None
        if written.target is not None:
            external = target_name(unit, written.target, "module:function")
            self.external_writes()
            if not written.writes and not unit.has_errors(written.span):
                message = f"mutation `{written.name.text}` does not say what its function writes"
                unit.error("LG002", message, written.target.span, help="write `writes f, g` behind it")
        elif written.body is None:
            body = tuple(self.short())
        else:
            found = [self.statement(s) for s in written.body]
            body = tuple(s for s in found if s is not None)
        writes = tuple(sorted(self.written_fields, key=self.turn.__getitem__))
        place = unit.place(written.name.span)
        return model.Mutation(written.name.text, self.params, body, external, writes, written.doc, place)

    def external_writes(self) -> None:
        """The fields named after `writes`."""
        for name in unique(self.unit, "field", self.written.writes):
            if name.text in self.fields:
                self.written_fields.add(name.text)
            else:
                self.unit.undefined("field", name, self.fields)

    def short(self) -> Iterator[model.Statement]:
        """The body that the short form stands for."""
        for param in self.params:
            field = self.fields.get(param.name)
            if field is None:
                continue
            value: Expr = model.ParamRef(param.name, param.type, param.place)
            if not self.typer.rules.assignable(param.type, field.type):
                self.typer.mismatched(value, field.type, f"field `{param.name}`")
            value = self.typer.widened(value, field.type)
            self.written_fields.add(param.name)
            target = model.Target((param.name,), None, field.type, param.place)
            yield model.Assign(target, "set", value, param.place)

    # --- statements ----------------------------------------------------------------------------------------

    def statement(self, written: ast.Statement) -> model.Statement | None:
        """One statement, or None if its target cannot be written."""
        target = self.target(written.target)
        if isinstance(written, ast.Delete):
            if target is None:
                return None
            if target.key is None:
                message = "`del` takes an entry of a dict: `del d[k]`"
                self.unit.error("LG201", message, written.target.span)
                return None
            return model.Delete(target, self.unit.place(written.span))
        if target is None:
            self.typer.infer(written.value, self.facts)
            return None
        self.written_fields.add(target.path[0])
        place = self.unit.place(written.span)
        what = f"`{_shown(target)}`"
        if written.op != "=":
            value = self.operand(written, target, what)
            return model.Assign(target, "add" if written.op == "+=" else "sub", value, place)
        if isinstance(target.type, StateType):
            message = f"{what} is a sub-state: its fields are set one by one"
            self.unit.error("LG201", message, written.target.span, help=f"write `{_shown(target)}.f = …`")
            return None
        value = self.typer.check(written.value, target.type, what, self.facts)
        self.learn(target, value)
        return self.extreme(target, value, place) or model.Assign(target, "set", value, place)

    def extreme(self, target: model.Target, value: Expr, place: Place) -> model.Assign | None:
        """`f = max(f, e)` and `f = min(f, e)`, either way round."""
        match value:
            case model.Call(function="max" | "min" as function, args=(a, b)) if target.key is None:
                if path_of(a) == target.path and not isinstance(a, model.ParamRef):
                    return model.Assign(target, function, b, place)
                if path_of(b) == target.path and not isinstance(b, model.ParamRef):
                    return model.Assign(target, function, a, place)
            case _:
                pass
        return None

    def operand(self, written: ast.Assign, target: model.Target, what: str) -> Expr:
        """The right side of `+=` and `-=`."""
        type = self.facts.get(target.path, target.type) if target.key is None else target.type
        if isinstance(type, OptionalOf):
            message = f"{what} may be none here: its type is `{show(type)}`"
            help = f"write `{_shown(target)} = ({_shown(target)} ?? …) {written.op[0]} …`"
            self.unit.error("LG204", message, written.target.span, help=help)
            type = base(type)
        adds = written.op == "+="
        if isinstance(type, Unknown):
            return self.typer.infer(written.value, self.facts)
        if type in (STR, BYTES) or isinstance(type, ListOf | DictOf):
            if adds:
                return self.typer.check(written.value, type, what, self.facts)
        elif isinstance(type, SetOf):
            return self.typer.check(written.value, type, what, self.facts)
        else:
            wanted = INT if type == INT else type
            value = self.typer.infer(written.value, self.facts, wanted)
            other = self.typer.solid(value)
            if result(written.op[0], type, other) == type:
                return self.typer.widened(value, FLOAT) if type == FLOAT else value
            if result(written.op[0], type, type) is not None and not isinstance(other, Unknown):
                self.typer.mismatched(value, type, what)
                return value
            if isinstance(other, Unknown):
                return value
        self.unit.error(
            "LG201", f"`{written.op}` cannot change {what}, which is `{show(type)}`", written.span
        )
        return self.typer.hole(self.unit.place(written.value.span))

    def learn(self, target: model.Target, value: Expr) -> None:
        """What an assignment makes known, and what it undoes."""
        if target.key is not None:
            return
        path = target.path
        for known in [p for p in self.facts if p[: len(path)] == path]:
            del self.facts[known]
        solid = not isinstance(value.type, OptionalOf | model.NoneOnly | Unknown)
        if isinstance(target.type, OptionalOf) and solid:
            self.facts[path] = target.type.item

    # --- targets --------------------------------------------------------------------------------------------

    def target(self, written: ast.Expr) -> model.Target | None:
        """What a statement writes, or None after reporting why it cannot."""
        place = self.unit.place(written.span)
        if isinstance(written, ast.Index):
            inner = self.target(written.base)
            if inner is None or inner.key is not None:
                if inner is not None:
                    self.unit.error("LG201", "only an entry of a field's own dict can be set", written.span)
                self.typer.infer(written.key, self.facts)
                return None
            type = self.facts.get(inner.path, inner.type)
            if isinstance(type, OptionalOf):
                message = f"`{_shown(inner)}` may be none here: its type is `{show(type)}`"
                self.unit.error(
                    "LG204", message, written.base.span, help=f"set it first: `{_shown(inner)} = {{}}`"
                )
                type = type.item
            if not isinstance(type, DictOf):
                self.typer.infer(written.key, self.facts)
                if not isinstance(type, Unknown):
                    message = f"entries can be set in a dict, but `{_shown(inner)}` is `{show(type)}`"
                    self.unit.error("LG201", message, written.span)
                return None
            key = self.typer.check(written.key, type.key, f"a key of `{_shown(inner)}`", self.facts)
            self.written_fields.add(inner.path[0])
            return model.Target(inner.path, key, type.value, place)
        if isinstance(written, ast.Attr):
            return self.part(written, place)
        if isinstance(written, ast.Ref):
            field = self.fields.get(written.name)
            if field is not None:
                return model.Target((written.name,), None, field.type, place)
            name = ast.Name(written.span, written.name)
            if written.name in self.typer.scope.params:
                self.unit.error("LG201", f"parameter `{written.name}` cannot be assigned", written.span)
            else:
                near = self.unit.undefined("field", name, self.fields)
                if near is not None:  # what it was meant to change is changed
                    return model.Target((near,), None, UNKNOWN, place)
            return None
        self.unit.error("LG002", "expected a field, `field.part` or `field[key]` to assign to", written.span)
        return None

    def part(self, written: ast.Attr, place: Place) -> model.Target | None:
        """`sub.f`."""
        inner = self.target(written.base)
        if inner is None:
            return None
        if inner.key is not None:
            self.unit.error("LG201", "a part of a dict's entry cannot be set: set the entry", written.span)
            return None
        type = self.facts.get(inner.path, inner.type)
        if isinstance(type, OptionalOf):
            message = f"`{_shown(inner)}` may be none here: its type is `{show(type)}`"
            self.unit.error("LG204", message, written.base.span)
            type = type.item
        fields = self.typer.fields_of(type)
        found = None if fields is None else fields.get(written.name.text)
        if found is None:
            self.typer.no_field(written.name, type, fields)
            return None
        return model.Target((*inner.path, written.name.text), None, found.type, place)


def _shown(target: model.Target) -> str:
    return ".".join(target.path) + ("[…]" if target.key is not None else "")
