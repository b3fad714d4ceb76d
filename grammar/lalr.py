"""From Lark as it is installed to its LALR parser, without the rest of Lark.

`import lark` brings the loader of grammars, the Earley parser, the tree tools, `logging` and `dataclasses`:
four times what parsing with kept tables needs, in a command that lasts a tenth of a second. The parser
itself is three files, which take from the others little but names for their annotations. So, for as long as
they are imported, modules with these names only stand in for the others. Afterwards no trace of it is left in
`sys.modules`: whoever imports Lark later gets all of it, as ever.

That is safe only where nobody else can import Lark at the same moment and nobody has it already; elsewhere,
and where anything about it fails, Lark is imported as a whole.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, TypeVar


class Lalr:
    """What parsing needs of Lark: its parser, the engine in it, and what marks a step to a next state."""

    __slots__ = ("engine", "parser", "shift")

    def __init__(self, shift: Any, parser: Any, engine: Any) -> None:
        self.shift = shift
        self.parser = parser
        self.engine = engine


def lalr() -> Lalr:
    """Lark's LALR parser; see the head of this file."""
    if not _alone():
        return _import()
    try:
        return _import_parts()
    except Exception:  # an installation of another kind: whatever it is, the plain way is there
        return _import()


def _alone() -> bool:
    """Whether Lark is not loaded yet and no other thread could be loading it."""
    return "lark" not in sys.modules and len(sys._current_frames()) == 1  # pyright: ignore[reportPrivateUsage]


def _import() -> Lalr:
    from lark.parsers import lalr_analysis, lalr_parser

    engine = lalr_parser._Parser  # pyright: ignore[reportPrivateUsage]
    return Lalr(lalr_analysis.Shift, lalr_parser.LALR_Parser, engine)


class _Plain:
    """What stands in for classes that are only named."""


class _End(_Plain):
    """Lark's `Token`, as far as its parser makes any: the end of the text."""

    type = "$END"
    line = column = start_pos = None

    def __init__(self, *parts: object) -> None:
        """All ends are alike: where the text ends is known to the lexer."""

    @classmethod
    def new_borrow_pos(cls, *parts: object) -> _End:
        """The end after a token."""
        return cls()


# By module: what Lark's parser, its state and its errors take from it when they are imported.
_STAND_INS: dict[str, dict[str, object]] = {
    "lark.utils": {"NO_VALUE": object(), "Serialize": _Plain, "logger": None},
    "lark.lexer": {"LexerThread": _Plain, "Token": _End},
    "lark.common": {"ParserCallbacks": _Plain, "ParserConf": _Plain},
    "lark.parsers.lalr_analysis": {
        "IntParseTable": _Plain,
        "LALR_Analyzer": _Plain,
        "ParseTableBase": list,  # with a parameter
        "Shift": object(),
        "StateT": TypeVar("StateT"),
    },
}


def _import_parts() -> Lalr:
    specs = (finder.find_spec("lark", None) for finder in sys.meta_path)
    spec = next((spec for spec in specs if spec is not None), None)
    if spec is None or spec.submodule_search_locations is None:
        return _import()
    package = ModuleType("lark")
    package.__path__ = spec.submodule_search_locations
    package.__spec__ = spec
    sys.modules["lark"] = package
    for name, content in _STAND_INS.items():
        module = sys.modules[name] = ModuleType(name)
        vars(module).update(content)
    try:
        return _import()
    finally:
        for name in [name for name in sys.modules if name == "lark" or name.startswith("lark.")]:
            del sys.modules[name]
