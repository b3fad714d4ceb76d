"""From the syntax tree to the one layout of a `.lgraph` file, with every comment kept.

The layout follows from the tree alone; of the old layout only single blank lines between items stay. One
item stands on a line, except that a small block (up to three short items, without comments) is folded into
one. A comment on a line of its own stays before what it precedes, a comment behind something stays behind
it, and one in the middle of an item stays between the same two words.

Printing goes through the file from top to bottom together with the list of comments: `gap` prints those
before an item, `row` and `block` those inside it, `behind` the one at the end of its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import ast
from .comment_walk import Comments
from .expression_parts import FLOOR, Parts
from .folding import Item, doc_of, flat
from .layout import BREAK, INDENT, WIDTH, lay_out
from .notes import with_notes
from .phrases import (
    chain,
    clause,
    field_rest,
    migrate_item,
    names,
    parameters,
    scenario_item,
    statement,
)
from .rows import Entry, Row, render

_FOLD = 3  # at most so many items are folded into one line
_BRACE = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|//[^\n]*|\{', re.DOTALL)
_FLOOR = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|//', re.DOTALL)
_DIVIDES = re.compile(r" (?:-?\d[\d_.]* ?(?:$|[-+*%<>=!?,)\]}]|(?:and|or|if|else)\b)|[\w.]+[)\]}])")


def format_file(file: ast.File) -> str:
    """The text of a file in the one layout: LF line ends, a final line end, "" for an empty file.

    The tree must come from a text without syntax errors: what could not be read is not in the tree.
    """
    printer = _Printer(file)
    lines = render(printer.items(file.declarations, 0, 0, len(file.source.text), top=True), 0)
    return "\n".join([*lines, ""]) if lines else ""


class _Printer(Comments):
    """One pass over a file."""

    # -- items

    def items(
        self, items: Sequence[Item], indent: int, start: int, end: int, *, top: bool = False, sign: str = ""
    ) -> list[Entry]:
        """The entries of the items between ``start`` and ``end``, with all that stands between them."""
        entries: list[Entry] = []
        tall = False
        previous: Item | None = None
        for number, item in enumerate(items):
            doc = doc_of(item)
            gap = self.gap(start, item.span.start, doc, indent)
            entry = self.entry(item, indent)
            if gap and gap[-1] and _allows(gap):
                entry = self.unmoved(item, entry, indent)
            if isinstance(entry, Row) and sign:
                entry.parts.append(sign)
            was_tall, tall = tall, isinstance(entry, str)
            border = isinstance(item, ast.Import) != isinstance(previous, ast.Import)
            if previous is None:
                gap = gap[1:] if gap and not gap[0] else gap
            elif top and (tall or was_tall or doc or border) and not (gap and not gap[0]):
                gap.insert(0, "")
            entries += gap
            start = item.span.end
            limit = items[number + 1].span.start if number + 1 < len(items) else end
            if (comment := self.behind(start, limit)) is not None:
                start = comment.span.end
                if isinstance(entry, Row):
                    entry.comment = comment.text.rstrip()
                else:
                    entry = f"{entry}  {comment.text.rstrip()}"
            entries.append(entry)
            previous = item
        tail = self.gap(start, end, "", indent)
        if not entries and tail and not tail[0]:
            del tail[0]
        if tail and not tail[-1]:
            del tail[-1]
        return entries + tail

    def unmoved(self, item: Item, entry: Entry, indent: int) -> Entry:
        """The entry, or the item as written, if what begins on its first line would begin further down.

        A comment `lgc: allow` above the item is about that line.
        """
        if isinstance(entry, Row):
            laid = lay_out([f"{entry.cell} ", *entry.parts] if entry.cell else entry.parts, indent)
        else:
            laid = entry
        written = self.text[item.span.start : item.span.end].replace("\r\n", "\n")
        before, after = ("".join(text.partition("\n")[0].split()) for text in (written, laid))
        return entry if after.startswith(before) else Row("", "", [written])

    def row(self, item: Item, parts: Parts, key: str = "", cell: str = "") -> Row:
        """An item in one row; comments inside it become notes, and then it is not aligned."""
        plain = self.next >= item.span.end
        if plain and FLOOR not in parts:
            return Row(key, cell, parts)
        parts = [f"{cell} ", *parts] if cell else parts
        if FLOOR in parts:
            return Row("", "", [self.divided(item, "".join(parts), plain)])
        return Row("", "", self.noted(parts, item.span.start, item.span.end))

    def divided(self, item: Item, flat: str, plain: bool) -> str:
        """An item with integer division: in one line, or else exactly as written.

        Whether `//` divides or begins a comment depends on the rest of its line.
        """
        safe = all(
            _DIVIDES.match(flat, match.end()) for match in _FLOOR.finditer(flat) if match.group() == "//"
        )
        if plain and safe and "\n" not in flat:
            return flat
        self.inside(item.span.end)
        return self.text[item.span.start : item.span.end].replace("\r\n", "\n")

    def noted(self, parts: Parts, start: int, end: int) -> Parts:
        return with_notes(parts, self.text, start, self.inside(end))

    def block(
        self,
        item: Item,
        header: Parts,
        items: Sequence[Item],
        indent: int,
        *,
        key: str = "",
        sign: str = "",
    ) -> Entry:
        """``header { items }``: folded into a row if small (then aligned by ``key``), else its lines."""
        if key and (folded := self.fold(item, header, items, indent, key, sign)):
            return folded
        start, end = item.span.start, item.span.end - 1
        if isinstance(item, (ast.Scenario, ast.Migrate)):  # the title may look like a comment
            start = self.brace(start, end) + 1
        opening = [*header, " {"]
        comment = None
        first = items[0].span.start if items else end
        if self.next < first:
            brace = self.brace(item.span.start, end)
            if self.next < brace:
                opening = self.noted(opening, item.span.start, brace)
            start = brace + 1
            comment = self.behind(start, first)
            start = comment.span.end if comment else start
        head = lay_out(opening, indent)
        head = f"{head}  {comment.text.rstrip()}" if comment else head
        entries = self.items(items, indent + INDENT, start, end, sign=sign)
        if not entries and not comment:
            return head + "}"
        return "\n".join((head, *render(entries, indent + INDENT), " " * indent + "}"))

    def brace(self, start: int, end: int) -> int:
        """Where the opening brace of a block stands."""
        for match in _BRACE.finditer(self.text, start, end):
            if match.group() == "{":
                return match.start()
        return start

    def fold(
        self, item: Item, header: Parts, items: Sequence[Item], indent: int, key: str, sign: str
    ) -> Row | None:
        """The whole block as one row, or None if it is too much for a line."""
        if self.next < item.span.end or (len(items) > _FOLD and not sign):
            return None
        texts = [flat(one) for one in items]
        if not all(texts) or (len(items) > 1 and isinstance(items[0], ast.Chain)):
            return None
        cell = "".join(header)
        if any("// " in text for text in texts):  # the rest of the line would decide what it means
            return None
        rest = "{ " + (sign + " " if sign else "  ").join(texts) + " }" if items else "{}"
        if indent + len(cell) + 1 + len(rest) > WIDTH or "\n" in rest:
            return None
        return Row(key, cell, [rest])

    # -- one item

    def entry(self, item: Item, indent: int) -> Entry:
        """An item of any kind: a row, or the lines of its block."""
        match item:
            case ast.Chain(names=path):
                cell, parts = chain(item)
                return self.row(item, parts, f"edge {path[0].text}" if cell else "", cell)
            case ast.Node():
                return self.node(item, indent)
            case ast.Field():
                word = "transient" if item.transient else ""
                cell = f"{word} {item.name.text}:".lstrip()
                return self.row(item, field_rest(item), f"{word} field", cell)
            case ast.Mutation():
                return self.mutation(item, indent)
            case ast.Assign() | ast.Delete():
                return self.row(item, statement(item))
            case ast.RecordField():
                return self.row(item, field_rest(item), "field", f"{item.name.text}:")
            case ast.EnumMember():
                return self.row(item, [item.name.text])
            case ast.BranchClause(single=None):
                header = [f"branch {item.name.text}"]
                return self.block(item, header, item.chains, indent, key="branch")
            case ast.CheckpointSetting():
                return self.block(item, ["checkpoint"], item.rules, indent, key="checkpoint")
            case ast.Given() | ast.Visit() | ast.ExpectPath() | ast.ExpectThat() | ast.ExpectEnd():
                return self.scenario_row(item)
            case ast.ExpectFailure():
                return self.scenario_row(item)
            case ast.Rename() | ast.SetField() | ast.DropField() | ast.Move():
                return self.row(item, migrate_item(item))
            case (
                ast.Import()
                | ast.Enum()
                | ast.Record()
                | ast.Union()
                | ast.Opaque()
                | ast.State()
                | ast.Graph()
                | ast.Migrate()
                | ast.Scenario()
            ):
                return self.declaration(item)
            case _:
                word, parts = clause(item)
                return self.row(item, parts, "clause", word)

    def scenario_row(self, item: ast.ScenarioItem) -> Row:
        cell, parts = scenario_item(item)
        return self.row(item, parts, "visit" if cell else "", cell)

    def node(self, item: ast.Node, indent: int) -> Entry:
        header = f"{item.kind} {item.name.text}" + (f" = {item.graph.text}" if item.graph else "")
        if not item.braces and not item.clauses:
            return self.row(item, [header])
        return self.block(item, [header], item.clauses, indent, key="node")

    def mutation(self, item: ast.Mutation, indent: int) -> Entry:
        header: Parts = ["mutation ", item.name.text, *parameters(item.params)]
        if item.body is not None:
            return self.block(item, header, item.body, indent, key="mutation")
        if item.target is not None:
            header += (" = ", item.target.text, *((" writes ", *names(item.writes)) if item.writes else ()))
        return self.row(item, header)

    def declaration(self, item: ast.Declaration) -> Entry:
        match item:
            case ast.Import():
                return self.row(item, ["from ", item.path.text, " import ", *names(item.names)])
            case ast.Enum():
                return self.block(item, [f"enum {item.name.text}"], item.members, 0, key="enum", sign=",")
            case ast.Record():
                return self.block(item, [f"record {item.name.text}"], item.fields, 0, key="record")
            case ast.Union():
                return self.row(item, _union(item))
            case ast.Opaque():
                return self.row(item, [f"opaque {item.name.text} = ", item.target.text])
            case ast.State():
                return self.block(item, [f"state {item.name.text}"], item.items, 0)
            case ast.Graph():
                return self.block(item, [f"graph {item.name.text}({item.state.text})"], item.items, 0)
            case ast.Scenario():
                header = ["scenario ", item.title.text, f" for {item.graph.text}"]
                return self.block(item, header, item.items, 0)
            case ast.Migrate():
                return self.block(item, [f"migrate {item.graph.text} from ", item.hash.text], item.items, 0)


def _allows(gap: list[str]) -> bool:
    """Whether a comment `lgc: allow` stands right above an item: among the lines up to an empty one."""
    for line in reversed(gap):
        if not line:
            return False
        if line.lstrip().startswith("// lgc:"):
            return True
    return False


def _union(item: ast.Union) -> Parts:
    out: Parts = [f"union {item.name.text} = ", item.members[0].text]
    for member in item.members[1:]:
        out += (BREAK, f"| {member.text}")
    return out
