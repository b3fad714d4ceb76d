"""Rules LG001-LG007: what can be wrong with the text itself. Raised while parsing, 007 by `allow`."""

from __future__ import annotations

from ...dsl.diagnostic import Severity
from ..rule import Rule

_GRAPH = "\ngraph work(Job) {\n  task plan { reads * }\n\n  start -> plan -> end\n}\n"
_RENAMING = "\n  mutation Rename(title)\n}\n" + _GRAPH.replace("reads *", "reads *  records Rename")
_STATE = "state Job {\n  done: bool\n}\n"

ENCODING = Rule(
    "LG001",
    "encoding",
    Severity.ERROR,
    "a byte that is not UTF-8",
    "The same file would be read differently on different machines. In the example stand the two "
    "letters `\\xe9`"
    " for the one byte E9, which is an e with an accent in another encoding.",
    "// caf\\xe9\n" + _STATE + _GRAPH,
    "// café\n" + _STATE + _GRAPH,
)
SYNTAX = Rule(
    "LG002",
    "syntax",
    Severity.ERROR,
    "something stands where it cannot, with what was expected",
    "What follows cannot be understood. The rest of the file is still checked.",
    "state Job {\n  done bool\n}\n" + _GRAPH,
    _STATE + _GRAPH,
    fixable=True,
)
STRING = Rule(
    "LG003",
    "unterminated-string",
    Severity.ERROR,
    "a string that does not end on its line",
    "Everything up to the next quote would become text.",
    'state Job {\n  title: str = "draft\n' + _RENAMING,
    'state Job {\n  title: str = "draft"\n' + _RENAMING,
)
NUMBER = Rule(
    "LG004",
    "bad-number",
    Severity.ERROR,
    "a number or duration that is not one",
    "A typing mistake in a limit is worth a stop.",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done  timeout 60x }\n\n  start -> plan -> end\n}\n",
    _STATE + "\ngraph work(Job) {\n  task plan { reads done  timeout 60s }\n\n  start -> plan -> end\n}\n",
    fixable=True,
)
ESCAPE = Rule(
    "LG005",
    "bad-escape",
    Severity.ERROR,
    "an escape in a string that JSON does not know",
    'Strings have the escapes of JSON: \\\\ \\" \\/ \\b \\f \\n \\r \\t \\uXXXX.',
    'state Job {\n  title: str = "a\\qb"\n' + _RENAMING,
    'state Job {\n  title: str = "a\\\\qb"\n' + _RENAMING,
)
LIMIT = Rule(
    "LG006",
    "limit",
    Severity.ERROR,
    "more than a limit allows: 16 MiB a file, 200 levels of nesting, 1,000 imports, 100 characters a name",
    "The limits keep every tool that reads the file fast and safe; nothing written by hand comes near them.",
    "state Job {\n  " + "x" * 101 + ": bool\n}\n" + _GRAPH,
    "state Job {\n  " + "x" * 100 + ": bool\n}\n" + _GRAPH,
)
ALLOW = Rule(
    "LG007",
    "unusable-allow",
    Severity.ERROR,
    "an `lgc: allow` comment, or an entry of the baseline, that cannot be used",
    "A finding that somebody accepts is kept together with the reason, for those who read it later. So "
    "`// lgc: allow CODE reason` stands on a line of its own above what it allows, with one code and a "
    "reason; findings without whose repair the program has no clear meaning cannot be allowed. The same "
    "holds for the entries of a baseline file.",
    "// lgc: allow LG504\n" + _STATE + _GRAPH,
    "// LG504 would be allowed here, with a reason\n" + _STATE + _GRAPH,
    fixable=True,
)

RULES = (ENCODING, SYNTAX, STRING, NUMBER, ESCAPE, LIMIT, ALLOW)
