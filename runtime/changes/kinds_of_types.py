"""The kinds of changes of mutations, enums, records and unions."""

from __future__ import annotations

from .kind import ARTICLE, ChangeKind

TYPES: tuple[ChangeKind, ...] = (
    ChangeKind(
        "mutation-added", "a new mutation",
        "A `mutation` that was not there.",
        "never",
        "No run can have recorded it.",
        ARTICLE, (("  mutation Grade", "  mutation Shorten() { draft = none }\n  mutation Grade"),),
    ),
    ChangeKind(
        "mutation-removed", "a mutation is gone",
        "A `mutation` that the state no longer has.",
        "history",
        "A run that recorded it did something that the new graph cannot. A run inside a parallel may "
        "have recorded it in a branch that is not joined yet: it could not be joined. A run that has "
        "not recorded it does not care.",
        ARTICLE,
        (
            ("  mutation Remember(remark: Remark) { remarks += [remark] }\n", ""),
            (' records Remember(Note(author = "editor", text = reason))', ""),
        ),
    ),
    ChangeKind(
        "mutation-parameters-changed", "a mutation takes other parameters",
        "A parameter was added, removed, has another type or another place.",
        "history",
        "What a run recorded is stored with its parameters. If they are not those of the new mutation, "
        "the log can no longer be read as something that the new graph did.",
        ARTICLE, (("Grade(score, verdict)", "Grade(score, verdict, count)"),),
    ),
    ChangeKind(
        "mutation-body-changed", "a mutation does something else",
        "The assignments of a mutation.",
        "history",
        "A run that has recorded it holds what the old body computed. Under the new graph it would hold"
        " something else, and may have gone elsewhere.",
        ARTICLE, (("count += 1", "count += 2"),),
    ),
    ChangeKind(
        "mutation-function-changed", "a mutation is computed by another function",
        "The Python function behind `=`, or whether there is one.",
        "history",
        "What another function would have given cannot be known without running it, and user code is "
        "never run to judge. So a run that has recorded the mutation is not taken for one of the new "
        "graph.",
        ARTICLE, (("{ remarks += [remark] }", '= "app.remarks:keep" writes remarks'),),
    ),
    ChangeKind(
        "mutation-writes-changed", "a mutation's function gives other fields",
        "The fields behind `writes`.",
        "history",
        "The stored result of the function has the old fields: the new mutation would have written others.",
        ARTICLE, (("{ remarks += [remark] }", '= "app.remarks:keep" writes remarks'),),
    ),
    ChangeKind(
        "enum-added", "an enum is used that was not",
        "An `enum` came into use.",
        "never",
        "It comes with a field, a parameter or a guard; those decide.",
        ARTICLE,
        (
            ("enum Verdict", "enum Size { small, large }\nenum Verdict"),
            ("  count:   int = 0\n", "  count:   int = 0\n  size:    Size = Size.small\n"),
        ),
    ),
    ChangeKind(
        "enum-removed", "an enum is no longer used",
        "Nothing mentions this `enum` any more.",
        "never",
        "It goes with a field, a parameter or a guard; those decide.",
        ARTICLE,
        (
            ("enum Verdict { accept, revise }\n", ""),
            ("verdict: Verdict?", "verdict: bool?"),
            ("verdict == Verdict.accept", "verdict == true"),
        ),
    ),
    ChangeKind(
        "enum-member-added", "an enum has a new member",
        "One more value.",
        "never",
        "Every value that a run holds is still one.",
        ARTICLE, (("accept, revise }", "accept, revise, drop }"),),
    ),
    ChangeKind(
        "enum-member-removed", "an enum has lost a member",
        "One value less.",
        "values",
        "A run that holds it, or has recorded it, has a value that the new graph has no name for.",
        ARTICLE, (("accept, revise }", "accept }"),),
    ),
    ChangeKind(
        "record-added", "a record is used that was not",
        "A `record` came into use.",
        "never",
        "It comes with a field, a parameter or an expression; those decide.",
        ARTICLE,
        (
            ("union Remark = Note | Link", "record Mark { line: int }\nunion Remark = Note | Link | Mark"),
        ),
    ),
    ChangeKind(
        "record-removed", "a record is no longer used",
        "Nothing mentions this `record` any more.",
        "never",
        "It goes with a field, a parameter or an expression; those decide.",
        ARTICLE,
        (
            ("record Link { url: str }\n", ""),
            (" = Note | Link", " = Note"),
        ),
    ),
    ChangeKind(
        "record-field-added", "a record has a new field that has a value",
        "A field with a default, or an optional one.",
        "never",
        "Stored values of the record get it. Where the new graph would have written something else into"
        " it, that is a change of a mutation or an expression.",
        ARTICLE, (("record Note { author: str", 'record Note { tone: str = ""  author: str'),),
    ),
    ChangeKind(
        "record-field-added-without-value", "a record has a new field without a value",
        "A field with neither a default nor a `?`.",
        "values",
        "A run that holds such a record has nothing to put there; one that holds none (an empty list, "
        "say) does not care.",
        ARTICLE,
        (
            ("record Note { author: str", "record Note { tone: str  author: str"),
            ('Note(author = "editor"', 'Note(tone = "", author = "editor"'),
        ),
    ),
    ChangeKind(
        "record-field-removed", "a record has lost a field",
        "A field of a `record` was removed or renamed.",
        "values",
        "A run that holds such a record would lose what is in it without a word.",
        ARTICLE,
        (
            ("{ author: str  text: str }", "{ text: str }"),
            ('author = "editor", ', ""),
        ),
    ),
    ChangeKind(
        "record-field-type-changed", "a field of a record has another type",
        "The type of a field of a `record`.",
        "values",
        "As for a field of the state: the values that a run holds decide.",
        ARTICLE, (("author: str  text: str", "author: str?  text: str"),),
    ),
    ChangeKind(
        "record-field-default-changed", "a field of a record has another default",
        "What a record has where an expression leaves the field out.",
        "history",
        "Stored records keep what they have. Records that mutations and guards build would have been others.",
        ARTICLE, (("author: str  text: str", 'author: str  text: str = "-"'),),
    ),
    ChangeKind(
        "union-added", "a union is used that was not",
        "A `union` came into use.",
        "never",
        "It comes with a field or a parameter; those decide.",
        ARTICLE,
        (
            ("union Remark = Note | Link", "union Remark = Note | Link\nunion Source = Link | Note"),
            ("  count:   int = 0\n", "  count:   int = 0\n  source:  Source?\n"),
        ),
    ),
    ChangeKind(
        "union-removed", "a union is no longer used",
        "Nothing mentions this `union` any more.",
        "never",
        "It goes with a field or a parameter; those decide.",
        ARTICLE,
        (
            ("union Remark = Note | Link\n", ""),
            ("list[Remark]", "list[Note]"),
            ("remark: Remark", "remark: Note"),
        ),
    ),
    ChangeKind(
        "union-member-added", "a union has a new member",
        "One more record that a value may be.",
        "never",
        "Every value that a run holds is still one.",
        ARTICLE,
        (
            ("union Remark = Note | Link", "record Mark { line: int }\nunion Remark = Note | Link | Mark"),
        ),
    ),
    ChangeKind(
        "union-member-removed", "a union has lost a member",
        "One record less that a value may be.",
        "values",
        "A run that holds such a record has a value that is none of the union any more.",
        ARTICLE,
        (
            ("record Link { url: str }\n", ""),
            (" = Note | Link", " = Note"),
        ),
    ),
)  # fmt: skip
