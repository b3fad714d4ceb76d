"""From `lgc.toml`, or `[tool.lgc]` in `pyproject.toml`, to settings; the nearest file upwards wins.

The folder of that file is the project's *root*: imports may not leave it. Without settings the root is the
nearest folder upwards with a `pyproject.toml` or a `.git`, else the working directory if the source lies in
it, else the folder that was given, or the source's own.
"""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from .dsl.frozen import frozen

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any

STDIN = "-"
# How a table `tool.lgc` may be written: its keys side by side, or `tool` alone and `lgc` somewhere in it.
_OWN_TABLE = (
    r"""(?m)tool["']?[ \t]*\.[ \t]*["']?lgc|^[ \t]*(?:\[[ \t]*["']?tool["']?[ \t]*\]|["']?tool["']?[ \t]*=)"""
)
_SEVERITIES = ("error", "warning", "off")


class ProjectError(Exception):
    """Something cannot be read, or settings make no sense; `hint` is the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@frozen
class Settings:
    """What a project has set. Paths are as written, relative to `root`.

    Attributes:
        root: the project's folder, absolute.
        origin: the file that the settings come from, None where there is none.
        source: what commands look at when no path is given.
        out: where generated Python goes.
        select, ignore: codes or beginnings of codes of findings.
        severity: by code, `error`, `warning` or `off`.
        store: where runs are kept.
        nodes: `MODULE[:CLASS]` with the functions of tasks.
        cache: the folder of what is remembered of files, "" for none, None for the usual one.
        baseline: the file with accepted findings.
    """

    root: str
    origin: str | None = None
    source: tuple[str, ...] = ()
    out: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = MappingProxyType({})
    store: str = ""
    nodes: str = ""
    cache: str | None = None
    baseline: str = ""

    def path(self, written: str) -> str:
        """A path from the settings, as a path from the working directory."""
        return _shown(os.path.normpath(os.path.join(self.root, written)))


class Projects:
    """Finds the settings of files; each folder is looked at once.

    `text` gives the text of a file, None where there is none; `marked` says whether a folder is where
    something begins that has no settings. Without them, files on the disk.
    """

    def __init__(
        self, text: Callable[[str], str | None] | None = None, marked: Callable[[str], bool] | None = None
    ) -> None:
        self._text = text or _text
        self._is_marked = marked or _marked
        self._by_folder: dict[str, Settings | None] = {}
        self._marked: dict[str, bool] = {}

    def of(self, path: str, given: str = "") -> Settings:
        """The settings for a file, or a folder (ending in a slash); `given`: the folder it was found in."""
        start = os.path.abspath(path if path != STDIN else "./-")
        folder = start if path.endswith("/") or path in (".", "") else os.path.dirname(start)
        for at in _upwards(folder):
            settings = self._in(at)
            if settings is not None:
                return settings
        return Settings(self._plain_root(folder, os.path.abspath(given) if given else folder))

    def _plain_root(self, folder: str, given: str) -> str:
        for at in _upwards(folder):
            if at not in self._marked:
                self._marked[at] = self._is_marked(at)
            if self._marked[at]:
                return at
        here = os.getcwd()
        return here if _below(folder, here) else given

    def _in(self, folder: str) -> Settings | None:
        if folder not in self._by_folder:
            self._by_folder[folder] = _settings_in(folder, self._text)
        return self._by_folder[folder]


def _upwards(folder: str) -> Iterator[str]:
    """The folder and all above it."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _below(path: str, folder: str) -> bool:
    """Whether a path is the folder, or lies in it; both absolute."""
    return path == folder or path.startswith(os.path.join(folder, ""))


def settings_here() -> Settings:
    """The settings for the working directory."""
    return Projects().of("./")


def _marked(folder: str) -> bool:
    marks = os.path.join(folder, "pyproject.toml"), os.path.join(folder, ".git")
    return os.path.isfile(marks[0]) or os.path.exists(marks[1])


def _settings_in(folder: str, text_of: Callable[[str], str | None]) -> Settings | None:
    own = os.path.join(folder, "lgc.toml")
    text = text_of(own)
    if text is not None:
        return _read(folder, own, _toml(own, text))
    shared = os.path.join(folder, "pyproject.toml")
    text = text_of(shared)
    if text is None or "lgc" not in text or re.search(_OWN_TABLE, text) is None:
        return None  # most projects: no need to read it as TOML
    tools: Any = _toml(shared, text).get("tool", {})
    table: Any = tools.get("lgc") if hasattr(tools, "get") else None
    return _read(folder, shared, table) if hasattr(table, "items") else None


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise ProjectError(f"{_shown(path)} is not UTF-8") from error


def _toml(path: str, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{_shown(path)}: {error}") from error


def _read(root: str, origin: str, table: Mapping[str, Any]) -> Settings:
    known = ("source", "out", "select", "ignore", "severity", "store", "nodes", "baseline", "cache")
    values: dict[str, Any] = {}
    for name, value in table.items():
        where = f"{_shown(origin)}: `{name}`"
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            raise ProjectError(
                f"{where} is not a setting of lgc",
                f"did you mean `{near[0]}`?" if near else f"settings are: {', '.join(known)}",
            )
        match name:
            case "out" | "store" | "nodes" | "baseline":
                values[name] = _one_text(where, value)
            case "cache":
                values[name] = "" if value is False else _one_text(where, value) or None
            case "severity":
                values[name] = _severities(where, value)
            case _:
                values[name] = _texts(where, value)
    return Settings(root, origin, **values)


def _one_text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise ProjectError(f"{where} must be a string")
    return value


def _texts(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        items: list[object] = value  # pyright: ignore[reportUnknownVariableType]
        if all(isinstance(item, str) for item in items):
            return tuple(str(item) for item in items)
    raise ProjectError(f"{where} must be a string or a list of strings")


def _severities(where: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ProjectError(f'{where} must be a table: {{ LG503 = "off" }}')
    table: dict[object, object] = value  # pyright: ignore[reportUnknownVariableType]
    found: dict[str, str] = {}
    for code, level in table.items():
        if level not in _SEVERITIES:
            raise ProjectError(f"{where}: {code} must be one of {', '.join(_SEVERITIES)}")
        found[str(code)] = str(level)
    return found


def _shown(path: str) -> str:
    """A path as it is shown: relative where it lies below the working directory."""
    here = os.getcwd()
    return os.path.relpath(path, here) if _below(path, here) else path
