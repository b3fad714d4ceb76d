"""From reductions to imports, enums, records, unions, opaque types, states with fields and mutations."""

from __future__ import annotations

from . import ast
from .build import Build, Parts, names
from .source import Span


def _span(c: Parts) -> Span:
    """From a leading keyword to a closing bracket."""
    return Span(c[0].start_pos, c[-1].end_pos)


class BuildData(Build):
    """Declarations of data."""

    def import_(self, c: Parts) -> ast.Import:
        found = c[3]
        for name in found:
            self.used(name)
        return ast.Import(Span(c[0].start_pos, found[-1].span.end), c[1], names(found))

    def enum(self, c: Parts) -> ast.Enum:
        members = c[3] if len(c) > 4 else ()
        return ast.Enum(_span(c), self.declared(c[1]), tuple(members), self.doc(c[0].start_pos))

    def member(self, c: Parts) -> ast.EnumMember:
        name: ast.Name = c[0]
        return ast.EnumMember(name.span, self.declared(name), self.doc(name.span.start))

    def record(self, c: Parts) -> ast.Record:
        return ast.Record(_span(c), self.declared(c[1]), tuple(c[3]), self.doc(c[0].start_pos))

    def record_field(self, c: Parts) -> ast.RecordField:
        span = Span(c[0].span.start, c[-1].span.end)
        default = c[4] if len(c) > 3 else None
        return ast.RecordField(span, self.declared(c[0]), c[2], default, self.doc(span.start))

    def union(self, c: Parts) -> ast.Union:
        for name in c[3]:
            self.used(name)
        span = Span(c[0].start_pos, c[3][-1].span.end)
        return ast.Union(span, self.declared(c[1]), names(c[3]), self.doc(span.start))

    def opaque(self, c: Parts) -> ast.Opaque:
        span = Span(c[0].start_pos, c[3].span.end)
        return ast.Opaque(span, self.declared(c[1]), c[3], self.doc(span.start))

    # --- states

    def state(self, c: Parts) -> ast.State:
        return ast.State(_span(c), self.declared(c[1]), tuple(c[3]), self.doc(c[0].start_pos))

    def field(self, c: Parts) -> ast.Field:
        transient = not isinstance(c[0], ast.Name)
        start: int = c[0].start_pos if transient else c[0].span.start
        at = 4 if transient else 3
        name, type_ = c[at - 3], c[at - 1]
        default: ast.Expr | None = None
        constraints: tuple[ast.Constraint, ...] = ()
        merge: ast.Merge | None = None
        end: int = type_.span.end
        while at < len(c):
            part = c[at]
            at += 1
            if isinstance(part, list):
                constraints = tuple(part)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                end = constraints[-1].span.end
            elif isinstance(part, ast.Merge):
                merge, end = part, part.span.end
            else:
                default = c[at]
                end = c[at].span.end
                at += 1
        doc = self.doc(start)
        span = Span(start, end)
        return ast.Field(span, self.declared(name), type_, default, constraints, merge, transient, doc)

    def bounds_both(self, c: Parts) -> Parts:
        return [c[0], c[2], c[2].span.end]

    def bounds_low(self, c: Parts) -> Parts:
        return [c[0], None, c[1].end_pos]

    def bounds_high(self, c: Parts) -> Parts:
        return [None, c[1], c[1].span.end]

    def bounds_none(self, c: Parts) -> Parts:
        return [None, None, c[0].end_pos]

    def range_(self, c: Parts) -> ast.RangeConstraint:
        low, high, end = c[1]
        return ast.RangeConstraint(Span(c[0].start_pos, end), low, high)

    def length(self, c: Parts) -> ast.LengthConstraint:
        low, high, end = c[1]
        return ast.LengthConstraint(Span(c[0].start_pos, end), low, high)

    def pattern(self, c: Parts) -> ast.PatternConstraint:
        return ast.PatternConstraint(Span(c[0].start_pos, c[1].span.end), c[1])

    def merge(self, c: Parts) -> ast.Merge:
        target = c[2] if len(c) > 2 else None
        return ast.Merge(Span(c[0].start_pos, c[-1].span.end), c[1], target)

    # --- mutations

    def brackets_empty(self, c: Parts) -> Parts:
        return [[], c[1].end_pos]

    def brackets(self, c: Parts) -> Parts:
        return [c[1], c[-1].end_pos]

    def parameter_short(self, c: Parts) -> ast.Param:
        return ast.Param(c[0].span, self.declared(c[0]), None)

    def parameter_typed(self, c: Parts) -> ast.Param:
        return ast.Param(Span(c[0].span.start, c[2].span.end), self.declared(c[0]), c[2])

    def mutation_short(self, c: Parts) -> ast.Mutation:
        params, end = c[2]
        start: int = c[0].start_pos
        doc = self.doc(start)
        return ast.Mutation(Span(start, end), self.declared(c[1]), tuple(params), None, None, (), doc)

    def mutation_body(self, c: Parts) -> ast.Mutation:
        params = tuple(c[2][0])
        doc = self.doc(c[0].start_pos)
        return ast.Mutation(_span(c), self.declared(c[1]), params, tuple(c[4]), None, (), doc)

    def mutation_python(self, c: Parts) -> ast.Mutation:
        writes = c[6] if len(c) > 5 else ()
        end = writes[-1].span.end if writes else c[4].span.end
        for name in writes:
            self.used(name)
        start: int = c[0].start_pos
        params = tuple(c[2][0])
        doc = self.doc(start)
        return ast.Mutation(Span(start, end), self.declared(c[1]), params, None, c[4], tuple(writes), doc)

    def assign(self, c: Parts) -> ast.Assign:
        return ast.Assign(Span(c[0].span.start, c[2].span.end), c[0], c[1].value, c[2])

    def delete(self, c: Parts) -> ast.Delete:
        return ast.Delete(Span(c[0].start_pos, c[1].span.end), c[1])
