"""From reductions to expressions and types, with a limit on how deep they nest.

The limit counts levels of the tree: brackets, and one for each operator of a chain (`a + b + c` is two deep).
Whatever walks a tree later may therefore recurse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import ast, misreads
from .build import DEEPEST, Build, Parts
from .source import Span

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))


def _children(e: ast.Expr) -> Iterator[ast.Expr]:
    """The expressions directly inside an expression."""
    match e:
        case ast.Attr(base=base):
            yield base
        case ast.Index(base=base, key=key):
            yield base
            yield key
        case ast.Call(args=args):
            for arg in args:
                yield arg.value
        case ast.ListExpr(items=items):
            yield from items
        case ast.DictExpr(items=entries):
            for k, v in entries:
                yield k
                yield v
        case ast.Unary(operand=operand) | ast.Is(operand=operand):
            yield operand
        case ast.Binary(left=left, right=right):
            yield left
            yield right
        case ast.Conditional(then=then, condition=condition, otherwise=otherwise):
            yield then
            yield condition
            yield otherwise
        case ast.Paren(inner=inner):
            yield inner
        case _:
            pass


def too_deep(e: ast.Expr) -> Span | None:
    """The place of a part that is nested deeper than allowed; without recursion."""
    level: list[ast.Expr] = [e]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return None
    return level[0].span


class BuildExpressions(Build):
    """Expressions and types."""

    # --- whole expressions and types

    def expr_whole(self, c: Parts) -> ast.Expr:
        return self.checked(c[0])

    def checked(self, e: ast.Expr) -> ast.Expr:
        """The expression, or a harmless one where it nests too deep (a level takes a character)."""
        if e.span.end - e.span.start <= DEEPEST or (at := too_deep(e)) is None:
            return e
        help = "each bracket and each operator of a chain is a level; put a part into a field of its own"
        self.report("LG006", f"this is nested more than {DEEPEST} deep", at, help=help)
        return ast.NoneLit(e.span)

    def type_whole(self, c: Parts) -> ast.TypeExpr:
        whole: ast.TypeExpr = c[0]
        if whole.span.end - whole.span.start > DEEPEST:
            level: list[ast.TypeExpr] = [whole]
            for _ in range(DEEPEST):
                level = [part for t in level for part in _type_parts(t)]
                if not level:
                    return whole
            self.report("LG006", f"this type is nested more than {DEEPEST} deep", level[0].span)
            return ast.NamedType(whole.span, "json")
        return whole

    # --- types

    def type_named(self, c: Parts) -> ast.NamedType:
        name: ast.Name = self.used(c[0])
        return ast.NamedType(name.span, name.text)

    def type_generic(self, c: Parts) -> ast.TypeExpr:
        name: ast.Name = c[0]
        parts: list[ast.TypeExpr] = c[2]
        span = Span(name.span.start, c[-1].end_pos)
        match name.text, parts:
            case "list", [item]:
                return ast.ListType(span, item)
            case "set", [item]:
                return ast.SetType(span, item)
            case "dict", [key, value]:
                return ast.DictType(span, key, value)
            case _:
                message, help, fix = misreads.generic(name, len(parts))
                self.report("LG002", message, name.span if fix else span, help=help, fix=fix)
                return misreads.generic_guess(name.text, span, parts)

    def type_optional(self, c: Parts) -> ast.OptionalType:
        return ast.OptionalType(Span(c[0].span.start, c[1].end_pos), c[0])

    # --- operators

    def binary(self, c: Parts) -> ast.Binary:
        left, op, right = c
        span = Span(left.span.start, right.span.end)
        return ast.Binary(span, op.value, left, right, Span(op.start_pos, op.end_pos))

    def _single(self, left: ast.Expr, op_span: Span) -> None:
        chained = isinstance(left, ast.Is) or (isinstance(left, ast.Binary) and left.op in _COMPARISONS)
        if chained:
            help = "compare twice and join with `and`: `a < b and b < c`"
            self.report("LG002", "comparisons cannot be chained", op_span, help=help)

    def compare(self, c: Parts) -> ast.Binary:
        node = self.binary(c)
        self._single(node.left, node.op_span)
        return node

    def compare_not_in(self, c: Parts) -> ast.Binary:
        left, no, within, right = c
        op_span = Span(no.start_pos, within.end_pos)
        self._single(left, op_span)
        return ast.Binary(Span(left.span.start, right.span.end), "not in", left, right, op_span)

    def is_(self, c: Parts) -> ast.Is:
        left, op, record = c
        self._single(left, Span(op.start_pos, op.end_pos))
        return ast.Is(Span(left.span.start, record.span.end), left, self.used(record))

    def unary(self, c: Parts) -> ast.Unary:
        return ast.Unary(Span(c[0].start_pos, c[1].span.end), c[0].value, c[1])

    def conditional(self, c: Parts) -> ast.Conditional:
        return ast.Conditional(Span(c[0].span.start, c[4].span.end), c[0], c[2], c[4])

    # --- atoms and what follows them

    def ref(self, c: Parts) -> ast.Expr:
        name: ast.Name = c[0]
        if name.text in misreads.CONSTANTS and not self.may_be_name(name.text):
            message, fix, literal = misreads.constant(name)
            self.report("LG002", message, name.span, fix=fix, help=fix.title)
            return literal
        self.used(name)
        return ast.Ref(name.span, name.text)

    def may_be_name(self, text: str) -> bool:
        """Whether something in the source may be called like a constant of another language."""
        return (
            text in misreads.POSSIBLE_NAMES
            and re.search(rf"\b{text}[ \t]*[:,)]", self.source.text) is not None
        )

    def attr(self, c: Parts) -> ast.Attr:
        return ast.Attr(Span(c[0].span.start, c[2].span.end), c[0], self.used(c[2]), c[1].value == "?.")

    def index(self, c: Parts) -> ast.Index:
        return ast.Index(Span(c[0].span.start, c[3].end_pos), c[0], c[2])

    def paren(self, c: Parts) -> ast.Paren:
        return ast.Paren(Span(c[0].start_pos, c[2].end_pos), c[1])

    def list_empty(self, c: Parts) -> ast.ListExpr:
        return ast.ListExpr(Span(c[0].start_pos, c[1].end_pos), ())

    def list_full(self, c: Parts) -> ast.ListExpr:
        return ast.ListExpr(Span(c[0].start_pos, c[-1].end_pos), tuple(c[1]))

    def dict_empty(self, c: Parts) -> ast.DictExpr:
        return ast.DictExpr(Span(c[0].start_pos, c[1].end_pos), ())

    def dict_full(self, c: Parts) -> ast.DictExpr:
        return ast.DictExpr(Span(c[0].start_pos, c[-1].end_pos), tuple(c[1]))

    def pair(self, c: Parts) -> tuple[object, ast.Expr]:
        if isinstance(c[0], ast.Name):
            self.used(c[0])
        return (c[0], c[2])

    def call_empty(self, c: Parts) -> ast.Call:
        return ast.Call(Span(c[0].span.start, c[2].end_pos), self.used(c[0]), ())

    def call_full(self, c: Parts) -> ast.Call:
        return ast.Call(Span(c[0].span.start, c[-1].end_pos), self.used(c[0]), tuple(c[2]))

    def argument_positional(self, c: Parts) -> ast.Arg:
        return ast.Arg(c[0].span, None, c[0])

    def argument_named(self, c: Parts) -> ast.Arg:
        return ast.Arg(Span(c[0].span.start, c[2].span.end), self.used(c[0]), c[2])

    # --- mutations with arguments

    def mutation_bare(self, c: Parts) -> ast.MutationCall:
        end = c[-1].end_pos if len(c) > 1 else c[0].span.end
        return ast.MutationCall(Span(c[0].span.start, end), self.used(c[0]), ())

    def mutation_call(self, c: Parts) -> ast.MutationCall:
        args = c[2]
        span = Span(c[0].span.start, c[-1].end_pos)
        if span.end - span.start > DEEPEST:
            args = [ast.Arg(a.span, a.name, self.checked(a.value)) for a in args]
        return ast.MutationCall(span, self.used(c[0]), tuple(args))


def _type_parts(t: ast.TypeExpr) -> tuple[ast.TypeExpr, ...]:
    match t:
        case ast.NamedType():
            return ()
        case ast.ListType(item=item) | ast.SetType(item=item) | ast.OptionalType(item=item):
            return (item,)
        case ast.DictType(key=key, value=value):
            return (key, value)
