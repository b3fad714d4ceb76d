"""What is remembered of files: the same findings, sooner; and never wrong, whatever happens to the cache."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Lgc

from lgc import cache, checks, project
from lgc.compiler import check
from lgc.dsl.source import Source
from lgc.groups import Group
from lgc.kept_findings import Part

GOOD = """\
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) { task a { reads n  records Add }  start -> a -> end }
"""
USES = """\
from "./common.lgraph" import S
graph g(S) { task a { reads n  records Add }  start -> a -> end }
"""
BAD = GOOD.replace("records Add", "records Adds")
CORPUS = Path(__file__).parent.parent / "corpus" / "check"


@pytest.fixture
def folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose files count as settled as soon as they are written."""
    (place / "lgc.toml").touch()
    monkeypatch.delenv("LGC_CACHE_DIR")
    monkeypatch.setattr(cache, "SETTLED", -(10**18))
    return place


def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Fills with the groups of files that are really checked."""
    groups: list[tuple[str, ...]] = []
    inner = checks._Work._check  # pyright: ignore[reportPrivateUsage]

    def counted(self: checks._Work, group: Group, *rest: object) -> Part:  # pyright: ignore
        groups.append(group.given)
        return inner(self, group, *rest)  # type: ignore[arg-type]  # pyright: ignore

    monkeypatch.setattr(checks._Work, "_check", counted)  # pyright: ignore[reportPrivateUsage]
    return groups


# --- the same findings ------------------------------------------------------------------------------------


def test_unchanged_files_are_not_checked_again(
    lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.lgraph").write_text(GOOD)
    (folder / "b.lgraph").write_text(BAD)
    groups = looked_up(monkeypatch)
    first = lgc("check")
    assert groups == [("a.lgraph",), ("b.lgraph",)]
    assert "LG101" in first.out
    assert lgc("check") == first
    (folder / "b.lgraph").write_text(GOOD)
    assert lgc("check").out == "no findings in 2 files\n"
    assert groups[2:] == [("b.lgraph",)]
    (folder / "b.lgraph").write_text(BAD)  # as before: known by its content
    assert lgc("check") == first
    assert len(groups) == 3
    assert lgc("check", "--no-cache") == first
    assert len(groups) == 5


def test_every_format_and_choice_is_the_same_from_memory(lgc: Lgc, folder: Path) -> None:
    for path in sorted(CORPUS.glob("*.lgraph")):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "allowed.lgraph").write_text(
        "// lgc: allow LG106 wanted soon\n" + USES.replace("S\n", "S, T\n")
    )
    (folder / "common.lgraph").write_text(GOOD + "enum T { x, y }\n")
    for words in (
        [], ["--format", "json"], ["--format", "sarif"], ["--format", "github"], ["--format", "junit"],
        ["--select", "LG1"], ["--ignore", "LG2"], ["--strict"], ["--color", "always"],
    ):  # fmt: skip
        fresh = lgc("check", "--no-cache", *words)
        assert lgc("check", *words) == fresh
        assert lgc("check", *words) == fresh


def test_groups_find_what_one_check_of_all_finds(folder: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.lgraph"))}
    texts |= {"common.lgraph": GOOD, "one.lgraph": USES, "two.lgraph": USES}
    texts["gone.lgraph"] = USES.replace("common", "no")
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    names = project.named(["."])
    sources = [Source(one.path, (folder / one.path).read_bytes().decode()) for one in names]
    whole = check(sources, load=project.load, root=".")
    for _ in range(3):
        [found] = checks.found_in(names)
        assert list(found.findings) == list(whole.diagnostics)
        assert list(found.suppressed) == list(whole.suppressed)
        assert sorted(found.files) == sorted(file.source.path for file in whole.files)


def test_an_import_that_only_the_parser_sees_is_still_seen(lgc: Lgc, folder: Path) -> None:
    (folder / "common.lgraph").write_text(GOOD)
    (folder / "a.lgraph").write_text(USES.replace('"./common.lgraph"', '"""./common.lgraph"""'))
    fresh = lgc("check", "--no-cache")
    assert lgc("check") == fresh
    (folder / "common.lgraph").write_text(GOOD.replace("state S", "state R"))
    assert lgc("check") == lgc("check", "--no-cache") != fresh


# --- what changes -----------------------------------------------------------------------------------------


def test_what_is_imported_counts(lgc: Lgc, folder: Path) -> None:
    (folder / "a.lgraph").write_text(USES)
    assert "not found" in lgc("check", "a.lgraph").out
    assert "not found" in lgc("check", "a.lgraph").out
    (folder / "common.lgraph").write_text(GOOD)  # a file that was missing
    assert lgc("check", "a.lgraph").status == 0
    assert lgc("check", "a.lgraph").status == 0
    (folder / "common.lgraph").write_text(GOOD.replace("state S", "state R"))
    assert lgc("check", "a.lgraph").status == 1
    (folder / "common.lgraph").unlink()
    assert "not found" in lgc("check", "a.lgraph").out


def test_a_change_that_keeps_size_and_time_is_seen(lgc: Lgc, folder: Path) -> None:
    path = folder / "a.lgraph"
    path.write_text(GOOD)
    lgc("check")
    before = path.stat()
    path.write_text(GOOD.replace("records Add", "records Aid"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert lgc("check").status == 1


def test_files_just_written_are_not_trusted_by_their_times(
    lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SETTLED", 10**9 * 3_600)
    (folder / "a.lgraph").write_text(GOOD)
    lgc("check")
    assert not list((folder / ".lgc_cache").glob("run-*"))
    groups = looked_up(monkeypatch)
    assert lgc("check").status == 0
    assert groups == []  # its content is known


def test_another_tool_remembers_nothing(lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.lgraph").write_text(GOOD)
    lgc("check")
    groups = looked_up(monkeypatch)
    monkeypatch.setattr(cache, "edition", lambda: "another")
    lgc("check")
    assert len(groups) == 1


def test_the_edition_is_that_of_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = ("", "dsl", "compiler", "compiler/rules", "compiler/rules/deeper", "grammar")
    for part in parts:
        (tmp_path / part).mkdir(exist_ok=True)
        (tmp_path / part / "x.py").write_text("one")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    seen = {cache.edition()}
    assert seen == {cache.edition()}
    for part in parts:
        (tmp_path / part / "x.py").write_text("two!")
        seen.add(cache.edition())
    assert len(seen) == 1 + len(parts)


# --- harm -------------------------------------------------------------------------------------------------


def test_every_byte_flipped_does_no_harm(lgc: Lgc, folder: Path) -> None:
    (folder / "b.lgraph").write_text(BAD)
    fresh = lgc("check")
    kept = [path for path in sorted((folder / ".lgc_cache").iterdir()) if path.suffix != ".TAG"]
    assert any(path.name.startswith("run-") for path in kept)
    for path in kept:
        good = path.read_bytes()
        for at in range(len(good)):
            path.write_bytes(good[:at] + bytes([good[at] ^ 0x41]) + good[at + 1 :])
            [found] = checks.found_in(project.named(["."]))
            assert [one.code for one in found.findings] == ["LG101"], (path, at)
        path.write_bytes(good[: len(good) // 2])
        assert lgc("check") == fresh
        path.unlink(missing_ok=True)
        path.mkdir()
        assert lgc("check") == fresh
        path.rmdir()


def test_garbage_with_a_good_checksum_is_not_used(lgc: Lgc, folder: Path) -> None:
    (folder / "b.lgraph").write_text(BAD)
    fresh = lgc("check")
    keep = cache.Cache(str(folder / ".lgc_cache"), cache.edition())
    [run] = (folder / ".lgc_cache").glob("run-*")
    body = json.loads(run.read_text().partition("\n")[2])
    garbage: list[Any] = [
        None,
        [],
        {},
        1,
        [[], 1, 2],
        [["b.lgraph"], ["Place"], []],
        [["b.lgraph"], ["", 7], [""]],
    ]
    for found in garbage:
        keep._write(run.name, json.dumps(body | {"found": found}))  # pyright: ignore[reportPrivateUsage]
        assert lgc("check").out in (fresh.out, "no findings in 0 files\n"), found


@pytest.mark.parametrize(
    "harm", ["a file in its place", "nothing can be written", "nothing can be put in place"]
)
def test_a_folder_that_cannot_be_used_is_left_alone(
    lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    (folder / "a.lgraph").write_text(GOOD)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    match harm:
        case "a file in its place":
            (folder / ".lgc_cache").touch()
        case "nothing can be written":
            monkeypatch.setattr(os, "makedirs", full)
        case _:
            monkeypatch.setattr(os, "replace", full)
    ran = lgc("check")
    assert (ran.status, ran.out, ran.err) == (0, "no findings in 1 file\n", "")
    assert not list(folder.glob(".lgc_cache/*.tmp"))


def test_many_processes_share_a_folder(folder: Path) -> None:
    for number in range(8):
        (folder / f"f{number}.lgraph").write_text(GOOD if number % 2 else BAD)
    words = [sys.executable, "-m", "lgc", "check", "--format", "json"]
    runs = [
        subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)
    ]
    ended = [run.communicate(timeout=100) for run in runs]
    assert {err for _, err in ended} == {b""}
    assert len({out for out, _ in ended}) == 1
    assert not list(folder.glob(".lgc_cache/*.tmp"))


# --- where, and how much ----------------------------------------------------------------------------------


def test_where_it_lies(lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (folder / "a.lgraph").write_text(GOOD)
    lgc("check")
    assert (folder / ".lgc_cache" / ".gitignore").read_text() == "*\n"
    assert (folder / ".lgc_cache" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172")
    (folder / "lgc.toml").write_text('cache = "deep/down"\n')
    lgc("check")
    assert (folder / "deep" / "down" / "parts").exists()
    monkeypatch.setenv("LGC_CACHE_DIR", str(tmp_path / "elsewhere"))
    lgc("check")
    assert (tmp_path / "elsewhere" / "parts").exists()


@pytest.mark.parametrize("words", [("check", "--no-cache"), ("check", "-"), ("check", "--impls")])
def test_nothing_is_kept_where_nothing_should_be(lgc: Lgc, folder: Path, words: tuple[str, ...]) -> None:
    (folder / "a.lgraph").write_text(GOOD)
    lgc(*words, stdin=GOOD.encode())
    assert not (folder / ".lgc_cache").exists()


def test_a_setting_turns_it_off(lgc: Lgc, folder: Path) -> None:
    (folder / "a.lgraph").write_text(GOOD)
    (folder / "lgc.toml").write_text("cache = false\n")
    lgc("check")
    assert not (folder / ".lgc_cache").exists()
    (folder / "lgc.toml").write_text("cache = 3\n")
    ran = lgc("check")
    assert ran.status == 2
    assert "`cache` must be a string" in ran.err


def test_files_of_no_project_leave_nothing_beside_them(
    lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder / "lgc.toml").unlink()
    (folder / "a.lgraph").write_text(GOOD)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    lgc("check")
    assert sorted(path.name for path in folder.iterdir()) == ["a.lgraph"]
    assert (tmp_path / "own" / "lgc" / "parts").exists()


def test_it_stays_small(lgc: Lgc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_RUNS", 3)
    monkeypatch.setattr(cache, "LARGEST", 3_000)
    for number in range(12):
        (folder / f"f{number}.lgraph").write_text(BAD + f"// {number}\n")
        lgc("check", f"f{number}.lgraph")
    assert len(list(folder.glob(".lgc_cache/run-*"))) == 3
    assert 500 < (folder / ".lgc_cache" / "parts").stat().st_size < 3_000


def test_a_hit_imports_no_compiler(folder: Path) -> None:
    (folder / "a.lgraph").write_text(GOOD)
    old = 1_500_000_000
    os.utime(folder / "a.lgraph", (old, old))
    text = (
        "import sys; from lgc import cache; cache.SETTLED = -10**18; from lgc.cli import main; "
        "main(['check']); print('\\n'.join(sys.modules))"
    )
    out = ""
    for _ in range(2):  # the second is the hit
        run = subprocess.run(
            [sys.executable, "-c", text], cwd=folder, capture_output=True, check=True, text=True
        )
        out = run.stdout
        assert "no findings in 1 file" in out
    assert not {"lgc.compiler", "lgc.dsl.parse", "lark", "hashlib", "click"} & set(out.split())
