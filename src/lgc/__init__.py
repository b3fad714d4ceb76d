"""Compiler, static validator and durable runtime for lgraph workflow graphs.

Everything here is imported when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what type checkers take for true; importing `typing` would cost more than all else

if TYPE_CHECKING:
    from .compiler import Checked, check
    from .dsl.diagnostic import Diagnostic, Severity
    from .dsl.source import Source
    from .reporting import Report, check_paths
    from .settings import ProjectError

__version__ = "0.1.0"

__all__ = [
    "Checked",
    "Diagnostic",
    "ProjectError",
    "Report",
    "Severity",
    "Source",
    "__version__",
    "check",
    "check_paths",
]

_HOMES = {
    "Checked": "compiler",
    "check": "compiler",
    "check_paths": "reporting",
    "Diagnostic": "dsl.diagnostic",
    "ProjectError": "settings",
    "Report": "reporting",
    "Severity": "dsl.diagnostic",
    "Source": "dsl.source",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
