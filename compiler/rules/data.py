"""Rules LG201-LG208: does every value fit where it stands? Raised while expressions are typed."""

from __future__ import annotations

from ...dsl.diagnostic import Severity
from ..rule import Rule

_GRAPH = "\ngraph work(Job) {\n  task plan { reads * }\n\n  start -> plan -> end\n}\n"


def _records(mutation: str) -> str:
    return _GRAPH.replace("reads *", f"reads *  records {mutation}")


MISMATCH = Rule(
    "LG201",
    "type-mismatch",
    Severity.ERROR,
    "a value of one type where another is needed",
    "Nothing converts silently, except `int` to `float`, a value to an optional, a member record to "
    "its union and a "
    "literal to the type that it fits.",
    "state Job {\n  count: int = 0\n\n  mutation Note(text: str) { count = text }\n}\n" + _records("Note"),
    "state Job {\n  count: int = 0\n\n  mutation Note(text: str) { count = int(text) }\n}\n"
    + _records("Note"),
)
NO_FIELD = Rule(
    "LG202",
    "no-such-field",
    Severity.ERROR,
    "a field that the record or state has not",
    "There is nothing to read there.",
    "record Note {\n  text: str\n}\n\nstate Job {\n  note: Note\n  size: int = 0\n\n"
    "  mutation Add(n: Note) { size = len(n.txt) }\n}\n" + _records("Add"),
    "record Note {\n  text: str\n}\n\nstate Job {\n  note: Note\n  size: int = 0\n\n"
    "  mutation Add(n: Note) { size = len(n.text) }\n}\n" + _records("Add"),
    fixable=True,
)
ARGUMENTS = Rule(
    "LG203",
    "wrong-call",
    Severity.ERROR,
    "a function that does not exist, or arguments that it, a record or a mutation does not take",
    "Calls are checked as in a typed language: every argument has a parameter, every parameter a value.",
    "state Job {\n  size: int = 0\n\n  mutation Grow(by: int) { size = biggest(size, by) }\n}\n"
    + _records("Grow"),
    "state Job {\n  size: int = 0\n\n  mutation Grow(by: int) { size = max(size, by) }\n}\n"
    + _records("Grow"),
    fixable=True,
)
OPTIONAL = Rule(
    "LG204",
    "optional-not-narrowed",
    Severity.ERROR,
    "an optional used without narrowing",
    "It may be none there, and then there is no value to use. Test it first, or say what counts instead.",
    "state Job {\n  draft: str?\n\n  mutation Extend(text: str) { draft = draft + text }\n}\n"
    + _records("Extend"),
    'state Job {\n  draft: str?\n\n  mutation Extend(text: str) { draft = (draft ?? "") + text }\n}\n'
    + _records("Extend"),
)
OPAQUE = Rule(
    "LG205",
    "opaque-outside-transient",
    Severity.ERROR,
    "an opaque type outside a transient field",
    "Nothing is known of a Python class, so its values cannot be stored, compared or hashed. They "
    "live in memory only.",
    'opaque Model = "app.models:Model"\n\nstate Job {\n  model: Model\n}\n' + _GRAPH,
    'opaque Model = "app.models:Model"\n\nstate Job {\n  transient model: Model\n}\n' + _GRAPH,
)
DEFAULT = Rule(
    "LG206",
    "bad-default",
    Severity.ERROR,
    "a default that is not a constant of the type",
    "A default is written into the graph's hash and is the same for every run: it cannot depend on anything.",
    "state Job {\n  low: int = 1\n  high: int = low\n\n  mutation Limit(low, high)\n}\n" + _records("Limit"),
    "state Job {\n  low: int = 1\n  high: int = 1\n\n  mutation Limit(low, high)\n}\n" + _records("Limit"),
)
CONSTRAINT = Rule(
    "LG207",
    "bad-constraint",
    Severity.ERROR,
    "a constraint that the default breaks, that no value meets, or that means nothing for the type",
    "A run could not start, or no mutation could ever be committed.",
    "state Job {\n  score: float = 2.0 range 0.0..1.0\n\n  mutation Grade(score)\n}\n" + _records("Grade"),
    "state Job {\n  score: float = 0.5 range 0.0..1.0\n\n  mutation Grade(score)\n}\n" + _records("Grade"),
)
ENDLESS = Rule(
    "LG208",
    "endless-record",
    Severity.ERROR,
    "a record that contains itself with no `?`, list, set or dict between",
    "A value of it would have to hold another one without end.",
    "record Part {\n  name: str\n  inside: Part\n}\n\nstate Job {\n  part: Part\n}\n" + _GRAPH,
    "record Part {\n  name: str\n  inside: list[Part] = []\n}\n\nstate Job {\n  part: Part\n}\n" + _GRAPH,
)

RULES = (MISMATCH, NO_FIELD, ARGUMENTS, OPTIONAL, OPAQUE, DEFAULT, CONSTRAINT, ENDLESS)
