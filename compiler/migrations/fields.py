"""The state after a `migrate` block: every field has a value of its type, and none is lost (LG702, LG703)."""

from __future__ import annotations

from ...dsl import ast
from ..types import show
from .block import Block, labels, only
from .shape import Held
from .values import Setting


def values(block: Block) -> None:
    """What is set is a value of the field."""
    setting: Setting | None = None
    for name, given in block.steps.sets.items():
        if name not in block.new.fields or _said_already(block, given.value):
            continue
        if setting is None:
            setting = Setting(block.unit, block.old, block.new, block.unit.place(block.written.hash.span))
        block.unit.context.findings.extend(setting.findings(name, block.new.fields[name], given.value))


def _said_already(block: Block, value: ast.Expr) -> bool:
    """Whether the expression was reported without any types."""
    start, end = value.span
    return any(
        found.code in ("LG203", "LG006")
        and found.place.source is block.unit.source
        and start <= found.place.span.start
        and found.place.span.end <= end
        for found in block.unit.context.findings
    )


def carried(block: Block) -> None:
    """What keeps its value has a type to which every such value belongs."""
    for name, held in block.old.fields.items():
        rename = block.steps.renames["field"].get(name)
        target = name if rename is None else rename.new.text
        if target not in block.new.fields or name in block.steps.drops or target in block.steps.sets:
            continue
        there = block.new.fields[target]
        why = block.fitting.why_not(held.type, there.type)
        if why is None:
            continue
        before, after = show(held.type), show(there.type)
        change = f"was `{before}` and is `{after}`" if before != after else f"is `{after}`"
        help = f"say what it becomes: `set {target} = …`"
        if rename is not None:
            help += f" instead, and `drop field {name}`"
        message = f"field {block.called('field', name)} {change}: {why}"
        block.error("LG703", message, block.at("field", name), help, *labels(there.place, "declared here"))


def left_over(block: Block, transient: frozenset[str]) -> None:
    """Every field of the old state is carried or dropped; `transient` are fields that are not stored now."""
    for name, held in block.old.fields.items():
        if name in block.new.fields or name in block.steps.renames["field"] or name in block.steps.drops:
            continue
        help = f"add `drop field {name}`"
        if (near := _like(block, held)) is not None:
            help += f", or `rename field {name} to {near}`"
        message = f"field `{name}` (`{show(held.type)}`) is gone, and the migration does not say so"
        if name in transient:
            message = f"field `{name}` is transient now, and the migration does not drop its value"
        block.missing("LG702", message, help)


def _like(block: Block, held: Held) -> str | None:
    """The one new field that an old one may have become."""
    return only(
        name
        for name, there in block.new.fields.items()
        if name not in block.old.fields
        and not block.steps.renamed_to("field", name)
        and block.fitting.why_not(held.type, there.type) is None
    )


def without_value(block: Block) -> None:
    """Every field of the new state has a value."""
    for name, held in block.new.fields.items():
        kept = name in block.old.fields and name not in block.steps.renames["field"]
        kept = kept and name not in block.steps.drops
        if kept or name in block.steps.sets or block.steps.renamed_to("field", name):
            continue
        if block.new.starts_alone(held):
            continue
        message = f"field `{name}` (`{show(held.type)}`) has no value after this migration"
        help = f"add `set {name} = …`, or give the field a default"
        block.missing("LG702", message, help, *labels(held.place, "declared here"))
