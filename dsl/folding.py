"""From an item of a block to its doc comment, and to its text where the block is folded into a line."""

from __future__ import annotations

from . import ast
from .phrases import chain, clause, field_rest, statement

Item = (
    ast.Declaration
    | ast.EnumMember
    | ast.RecordField
    | ast.Field
    | ast.Mutation
    | ast.Statement
    | ast.Node
    | ast.Clause
    | ast.Chain
    | ast.CheckpointSetting
    | ast.CheckpointRule
    | ast.ScenarioItem
    | ast.MigrateItem
)
"""Whatever stands in a block or at the top of a file, one a line."""


def doc_of(item: Item) -> str:
    """The item's doc comment, "" where there is none or none is possible."""
    match item:
        case (
            ast.Field(doc=doc)
            | ast.Mutation(doc=doc)
            | ast.Node(doc=doc)
            | ast.RecordField(doc=doc)
            | ast.EnumMember(doc=doc)
            | ast.DecisionClause(doc=doc)
            | ast.BranchClause(doc=doc)
            | ast.Graph(doc=doc)
            | ast.State(doc=doc)
            | ast.Record(doc=doc)
            | ast.Enum(doc=doc)
            | ast.Union(doc=doc)
            | ast.Opaque(doc=doc)
            | ast.Scenario(doc=doc)
            | ast.Migrate(doc=doc)
        ):
            return doc
        case _:
            return ""


def flat(item: Item) -> str:
    """An item of a folded block, or "" if a block that holds it is never folded."""
    if doc_of(item):
        return ""
    match item:
        case ast.EnumMember():
            return item.name.text
        case ast.RecordField():
            return "".join((item.name.text, ": ", *field_rest(item)))
        case ast.Assign() | ast.Delete():
            return "".join(statement(item))
        case ast.Chain():
            cell, parts = chain(item)
            return "".join((cell, " ", *parts) if cell else parts)
        case (
            ast.ReadsClause()
            | ast.RecordsClause()
            | ast.EnsuresClause()
            | ast.GotoClause()
            | ast.RetryClause()
            | ast.TimeoutClause()
            | ast.EffectClause()
            | ast.ImplClause()
            | ast.ShowsClause()
            | ast.ModifyClause()
            | ast.RerouteClause()
            | ast.LensClause()
            | ast.InClause()
            | ast.OutClause()
            | ast.MaxStepsClause()
            | ast.OverClause()
            | ast.ConcurrencyClause()
            | ast.OnErrorClause()
            | ast.JoinClause()
            | ast.EveryRule()
            | ast.OnEventsRule()
            | ast.ManualRule()
            | ast.KeepRule()
            | ast.CompactRule()
        ):
            word, parts = clause(item)
            return "".join((word, " ", *parts)).rstrip(" ")
        case _:
            return ""
