"""From Lark as it is installed to its LALR parser, without the rest of Lark.

`import lark` brings the loader of grammars, the Earley parser, the tree tools and a dozen modules that those
want: twice of what parsing with kept tables needs, in a command that lasts a tenth of a second. Python
always runs a package's `__init__` before its parts; so, for as long as the parts are imported, an empty
module that only knows where the files are stands in for the package. Afterwards no trace of it is left in
`sys.modules`: whoever imports Lark later gets all of it, as ever.

That is safe only where nobody else can import Lark at the same moment and nobody has it already; elsewhere,
and where anything about it fails, Lark is imported as a whole.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, NamedTuple


class Lalr(NamedTuple):
    """What parsing needs of Lark."""

    shift: Any
    reduce: Any
    table: Any
    parser: Any
    engine: Any
    thread: Any


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
    from lark import lexer
    from lark.parsers import lalr_analysis, lalr_parser

    return Lalr(
        lalr_analysis.Shift,
        lalr_analysis.Reduce,
        lalr_analysis.IntParseTable,
        lalr_parser.LALR_Parser,
        lalr_parser._Parser,  # pyright: ignore[reportPrivateUsage]
        lexer.LexerThread,
    )


def _import_parts() -> Lalr:
    from importlib.util import find_spec

    spec = find_spec("lark")
    if spec is None or spec.submodule_search_locations is None:
        return _import()
    package = ModuleType("lark")
    package.__path__ = spec.submodule_search_locations
    package.__spec__ = spec
    sys.modules["lark"] = package
    try:
        return _import()
    finally:
        for name in [name for name in sys.modules if name == "lark" or name.startswith("lark.")]:
            del sys.modules[name]
