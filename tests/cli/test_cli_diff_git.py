"""`lgc diff` with git revisions: what was there then, read without touching what is there now."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]
Git = Callable[..., str]


@pytest.fixture
def git(place: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Run git in a folder (first word with `at=`), in a new repository, as nobody in particular."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")

    def run(*words: str, at: Path = place) -> str:
        ran = subprocess.run(["git", *words], cwd=at, check=True, capture_output=True, text=True)
        return ran.stdout.strip()

    run("init", "--quiet", "--initial-branch", "main")
    return run


def commit(git: Git, message: str = "change") -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


@pytest.fixture
def repository(article: Path, git: Git) -> Path:
    """The article on `main`; on `feature` with another number of visits, and another Note beside it."""
    commit(git)
    git("checkout", "--quiet", "-b", "feature")
    edit(article / "article.lgraph", "max_visits 3", "max_visits 4")
    edit(article / "common.lgraph", "author: str", "author: str\n  year: int?")
    return article


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def changed(lgc: Lgc, *words: str) -> dict[str, list[str]]:
    """The elements that changed, by graph."""
    ran = lgc("diff", *words, "--format", "json")
    assert ran.status == 0, ran.err
    found = json.loads(ran.out)["graphs"]
    return {one["graph"]: [change["element"] for change in one["changes"]] for one in found}


def test_the_same_paths_then_and_now(lgc: Lgc, repository: Path) -> None:
    both = ["record/Note", "edges/grade"]
    assert changed(lgc, "git:main", ".") == {"article": both}
    assert changed(lgc, "git:main", "article.lgraph") == {"article": both}
    assert changed(lgc, "git:main", "article.lgraph:article") == {"article": both}
    assert changed(lgc, "git:main:article.lgraph:article", "git:main") == {"article": []}
    assert changed(lgc, ".", "git:HEAD") == {"article": both}
    assert changed(lgc, "git:main", "git:feature") == {"article": []}  # nothing is committed yet


def test_nothing_in_the_working_tree_or_in_git_is_touched(lgc: Lgc, git: Git, repository: Path) -> None:
    (repository / "loose.txt").write_text("not in git")
    before = git("status", "--porcelain"), git("rev-parse", "HEAD"), git("stash", "list")
    index = (repository / ".git/index").read_bytes()
    assert changed(lgc, "git:main", ".")["article"]
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD"), git("stash", "list")) == before
    assert (repository / ".git/index").read_bytes() == index


def test_from_a_folder_below_and_from_a_worktree(
    lgc: Lgc, git: Git, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = repository / "sub"
    below.mkdir()
    monkeypatch.chdir(below)
    assert changed(lgc, "git:main", "..")["article"] == ["record/Note", "edges/grade"]
    ran = lgc("diff", "git:main:article.lgraph", "..")
    assert ran.status == 2
    assert "did you mean git:main:../article.lgraph?" in ran.err
    other = repository.parent / "other"
    git("worktree", "add", "--quiet", str(other), "main")
    edit(other / "article.lgraph", "max_visits 3", "max_visits 9")
    monkeypatch.chdir(other)
    assert changed(lgc, "git:main", ".") == {"article": ["edges/grade"]}
    # As inside a hook of git.
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository / ".git/index"))
    assert changed(lgc, "git:main", ".") == {"article": ["edges/grade"]}


def test_settings_and_links_of_then(lgc: Lgc, git: Git, repository: Path) -> None:
    """The folder that imports may not leave is that of the settings as they were."""
    git("stash", "--quiet")
    inner = repository / "flows"
    inner.mkdir()
    (repository / "linked").symlink_to("common")
    (repository / "common").mkdir()
    git("mv", "common.lgraph", "common/note.lgraph")
    edit(repository / "article.lgraph", "./common.lgraph", "../linked/note.lgraph")
    git("mv", "article.lgraph", "flows/article.lgraph")
    (repository / "lgc.toml").write_text('source = ["flows"]')
    commit(git)
    assert changed(lgc, "git:HEAD", "git:HEAD") == {"article": []}  # `source` of then
    (inner / "lgc.toml").write_text("")
    commit(git)
    ran = lgc("diff", "git:HEAD~1", "flows")
    assert ran.status == 1  # now the folder is a project, and the import leaves it
    assert "the new side (flows) has" in ran.err
    (inner / "lgc.toml").unlink()
    ran = lgc("diff", "git:HEAD", "flows")
    assert ran.status == 1  # then it was
    assert "the old side (git:HEAD) has" in ran.err
    assert changed(lgc, "git:HEAD~1", "flows") == {"article": []}


def test_where_two_branches_parted(lgc: Lgc, git: Git, repository: Path) -> None:
    commit(git)
    git("checkout", "--quiet", "main")
    edit(repository / "article.lgraph", "timeout  2d", "timeout  2d decides approve")
    commit(git)
    git("checkout", "--quiet", "feature")
    assert "node/sign_off" in changed(lgc, "git:main", ".")["article"]
    assert changed(lgc, "git:main...", ".")["article"] == ["record/Note", "edges/grade"]
    assert changed(lgc, "git:main...feature", ".")["article"] == ["record/Note", "edges/grade"]


def test_graphs_that_came_and_went(lgc: Lgc, git: Git, repository: Path) -> None:
    text = (repository / "article.lgraph").read_text()
    (repository / "new.lgraph").write_text(text.replace("graph article", "graph second"))
    ran = lgc("diff", "git:main", "new.lgraph")
    assert ran.status == 0
    assert "second: added" in ran.out
    assert "new.lgraph is not in git:main" in ran.out
    ran = lgc("diff", "git:main", ".", "--format", "json")
    assert json.loads(ran.out)["summary"]["added"] == 1
    for path in repository.glob("*.lgraph"):
        path.unlink()
    ran = lgc("diff", "git:main", ".", "--fail-on", "incompatible")
    assert ran.status == 1
    assert "article: removed" in ran.out


def test_before_the_first_commit(lgc: Lgc, git: Git, article: Path) -> None:
    ran = lgc("diff", "git:HEAD", ".")
    assert ran.status == 0
    assert "article: added" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("git:mian", "."), "did you mean `git:main`?"),
        (("git:topic", "."), "did you mean `git:origin/topic`?"),
        (("git:main:artcle.lgraph", "."), "did you mean git:main:article.lgraph?"),
        (("git:main:article.lgraph:artcle", "."), "did you mean `article`?"),
        (("git:", "."), "names no revision"),
        (("git:--all", "."), "names no revision"),
        (("git:main..feature", "."), "`lgc diff git:A git:B`"),
        (("git:main\0x", "."), "no revision"),
        (("git:main", ".."), "git:REV needs a git repository"),
        (("-", "-"), "one side only"),
    ],
)
def test_what_cannot_be_read(lgc: Lgc, git: Git, repository: Path, words: tuple[str, str], said: str) -> None:
    git("update-ref", "refs/remotes/origin/topic", "main")
    (repository.parent / "x.lgraph").write_text((repository / "common.lgraph").read_text())
    ran = lgc("diff", *words)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_a_shallow_clone_says_so(
    lgc: Lgc, git: Git, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(git)
    clone = repository.parent / "clone"
    git("clone", "--quiet", "--depth", "1", "--branch", "feature", f"file://{repository}", str(clone))
    monkeypatch.chdir(clone)
    assert changed(lgc, "git:HEAD", ".") == {"article": []}
    for words in ("git:HEAD~1", "git:main", "git:main..."):
        ran = lgc("diff", words, ".")
        assert ran.status == 2
        assert "fetch-depth: 0" in ran.err


def test_errors_say_whose_they_are(lgc: Lgc, git: Git, repository: Path) -> None:
    edit(repository / "article.lgraph", "start -> write", "start -> wirte")
    commit(git)
    git("checkout", "--quiet", "main")
    ran = lgc("diff", "git:feature", ".")
    assert (ran.status, ran.out) == (1, "")
    assert "LG101" in ran.err
    assert "the old side (git:feature) has 2 errors" in ran.err
    ran = lgc("diff", ".", "git:feature", "--format", "markdown")
    assert (ran.status, ran.out) == (1, "")
    assert "the new side (git:feature) has" in ran.err


def test_forms_in_git(lgc: Lgc, git: Git, repository: Path) -> None:
    git("stash", "--quiet")
    (repository / "article.json").write_text(lgc("hash", "article.lgraph", "--canonical").out)
    commit(git)
    git("stash", "pop", "--quiet")
    assert changed(lgc, "git:HEAD:article.json", "article.lgraph")["article"] == [
        "record/Note",
        "edges/grade",
    ]
