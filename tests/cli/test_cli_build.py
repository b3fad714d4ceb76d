"""`lgc build`: where output goes, what is never overwritten, when it is stale."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Lgc = Callable[..., Any]

GRAPH = "state S { count: int = 0 }\ngraph g(S) { task a { reads count }  start -> a -> end }\n"


def files(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_mirrors_the_tree(lgc: Lgc, place: Path) -> None:
    for name in ("flows/a.lgraph", "flows/sub/b.lgraph"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(GRAPH)
    ran = lgc("build", "flows", "--out", "gen")
    assert ran.status == 0
    assert ran.out == ""
    assert files(place / "gen") == ["a_lg.py", "py.typed", "sub/b_lg.py"]
    assert "from sub/b.lgraph." in (place / "gen/sub/b_lg.py").read_text().splitlines()[0]


def test_output_does_not_depend_on_where_lgc_runs(
    lgc: Lgc, article: Path, monkeypatch: Any, tmp_path: Path
) -> None:
    assert lgc("build", ".", "--out", "one").status == 0
    monkeypatch.chdir(tmp_path)
    assert lgc("build", article, "--out", "two").status == 0
    assert lgc("build", "work/article.lgraph", "--out", "three").status == 0
    for name in files(article / "one"):
        assert (article / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert (article / "one" / name).read_bytes() == (tmp_path / "three" / name).read_bytes()


def test_what_is_imported_is_built_too(lgc: Lgc, article: Path) -> None:
    (article / "flows").mkdir()
    (article / "article.lgraph").rename(article / "flows/article.lgraph")
    text = (article / "flows/article.lgraph").read_text()
    (article / "flows/article.lgraph").write_text(text.replace("./common", "../common"))
    assert lgc("build", "flows", "--out", "gen").status == 0
    assert files(article / "gen") == ["common_lg.py", "flows/article_lg.py", "py.typed"]


def test_check_tells_stale_output_and_writes_nothing(lgc: Lgc, article: Path) -> None:
    ran = lgc("build", ".", "--out", "gen", "--check")
    assert ran.status == 1
    assert "LG901" in ran.err
    assert not (article / "gen").exists()
    lgc("build", ".", "--out", "gen")
    assert lgc("build", ".", "--out", "gen", "--check").status == 0
    path = article / "article.lgraph"
    path.write_text(path.read_text().replace("max_visits 3", "max_visits 4"))
    before = (article / "gen/article_lg.py").read_bytes()
    ran = lgc("build", ".", "--out", "gen", "--check", "--format", "json")
    assert ran.status == 1
    (one,) = json.loads(ran.out)["findings"]
    assert (one["code"], one["file"]) == ("LG901", "gen/article_lg.py")
    assert (article / "gen/article_lg.py").read_bytes() == before


def test_output_of_a_source_that_is_gone(lgc: Lgc, place: Path) -> None:
    for name in ("a", "b"):
        (place / f"{name}.lgraph").write_text(GRAPH)
    lgc("build", ".", "--out", "gen")
    (place / "b.lgraph").unlink()
    ran = lgc("build", ".", "--out", "gen", "--check")
    assert ran.status == 1
    assert "source that is gone" in ran.err
    ran = lgc("build", ".", "--out", "gen")
    assert ran.status == 0
    assert "gen/b_lg.py" in ran.err
    assert (place / "gen/b_lg.py").exists()


def test_foreign_files_are_never_overwritten(lgc: Lgc, article: Path) -> None:
    (article / "gen").mkdir()
    (article / "gen/article_lg.py").write_text("mine = 1\n")
    ran = lgc("build", ".", "--out", "gen")
    assert ran.status == 1
    assert "LG901" in ran.err
    assert files(article / "gen") == ["article_lg.py"]
    assert (article / "gen/article_lg.py").read_text() == "mine = 1\n"


def test_unchanged_files_are_not_written(lgc: Lgc, article: Path) -> None:
    lgc("build", ".", "--out", "gen")
    before = (article / "gen/article_lg.py").stat()
    ran = lgc("build", ".", "--out", "gen")
    assert "nothing to write, 3 unchanged" in ran.err
    after = (article / "gen/article_lg.py").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_errors_build_nothing(lgc: Lgc, article: Path) -> None:
    (article / "bad.lgraph").write_text("graph g(S) { start -> end }")
    ran = lgc("build", ".", "--out", "gen")
    assert ran.status == 1
    assert "LG101" in ran.err
    assert not (article / "gen").exists()


def test_where_to_write(lgc: Lgc, article: Path) -> None:
    ran = lgc("build", ".")
    assert ran.status == 2
    assert "--out DIR" in ran.err
    (article / "lgc.toml").write_text('source = "."\nout = "gen"\n')
    assert lgc("build").status == 0
    assert (article / "gen/article_lg.py").exists()
