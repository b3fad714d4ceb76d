"""The workflow and the hooks that come with lgc do what they say: their own commands, in a real repository.

The two files are taken apart here as far as needed; nothing of them is repeated.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import lgc.cli

Lgc = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = Path(lgc.cli.__file__).with_name("workflow.yml")
STORE = "Find the runs that a deploy would stop"
DIFF = "Compare with the base branch"
COMMENT = "Comment on the pull request"
CHECKS = ("Check the graphs", "Check that the built Python is current")
# A stand-in for GitHub's command: it notes what it is asked for, and knows the comments in `comments`.
GH = """\
#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in *--jq*) cat "$(dirname "$0")/comments" ;; esac
"""


@dataclass
class Step:
    """One step of the workflow."""

    name: str
    run: str
    condition: str = ""
    settings: dict[str, str] = field(default_factory=dict[str, str])


def steps() -> dict[str, Step]:
    """The steps of the workflow that run something, by name."""
    found: dict[str, Step] = {}
    for block in re.split(r"^      - ", WORKFLOW.read_text(), flags=re.MULTILINE)[1:]:
        name = re.match(r"name: (.*)", block)
        run = re.search(r"^        run: (?:\|\n((?: {10}.*\n|\n)+)|(.*))", block, re.MULTILINE)
        condition = re.search(r"^        if: ((?:.*\n)(?: {10}.*\n)*)", block, re.MULTILINE)
        if name and run:
            text = re.sub(r"^ {10}", "", run[1], flags=re.MULTILINE) if run[1] else run[2]
            settings = dict(
                re.findall(r"^          ([A-Z_]+): (.*)$", block.partition("run:")[0], re.MULTILINE)
            )
            found[name[1]] = Step(name[1], text, condition[1] if condition else "", settings)
    return found


@dataclass
class Runner:
    """A machine that has checked out a pull request."""

    folder: Path
    home: Path
    environment: dict[str, str]
    summary: str = ""

    def do(self, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one step as GitHub does; `settings` are the values of its secrets and expressions."""
        step = steps()[name]
        given = {key: settings.get(key, "") for key in step.settings}
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.run],
            cwd=self.folder, env={**self.environment, **given}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.summary = (self.home / "summary").read_text()
        return ran


PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def shell(words: str, at: Path) -> str:
    done = subprocess.run(
        ["bash", "-ec", words], cwd=at, env={**os.environ, "PATH": PATH}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project on `main`, built, with a run that waits for its reader; checked out: `feature`."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for words in (["init"], ["init", "--ci"], ["build"]):
        assert lgc(*words).status == 0
    ran = lgc("run", "letter.lgraph", "--input", '{"name": "Ada"}', "--store", "../runs.db")
    assert ran.status == 0, ran.err
    shell("git init -q -b main; git add -A; git commit -qm one; git checkout -qb feature", place)
    return place


def edit(project: Path, old: str, new: str) -> None:
    path = project / "letter.lgraph"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def harmless(project: Path) -> None:
    """Something comes after all that a run can have done."""
    edit(project, "  start -> write", "  task file { reads text }\n\n  start -> write")
    edit(project, "  send -> end", "  send -> file -> end")
    edit(project, "expect path write, reading, write, reading, send", "expect ends at file")


def breaking(project: Path) -> None:
    """The place where the run waits is gone."""
    text = (project / "letter.lgraph").read_text()
    (project / "letter.lgraph").write_text(re.sub(r"\breading\b", "review", text))


def pull_request(lgc: Lgc, project: Path) -> Runner:
    """What a runner has: two commits of a merge, and its own folders."""
    assert lgc("build").status == 0
    shell("git add -A; git commit -qm change; git checkout -q main; date > note.txt", project)
    shell(
        "git add -A; git commit -qm more; git merge -q --no-ff -m merge feature; git checkout -q -", project
    )
    home = project.parent / "runner"
    tools = home / "bin"
    tools.mkdir(parents=True)
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    (tools / "comments").write_text("")
    (home / "summary").write_text("")
    shell(f"git clone -q --depth 2 --branch main file://{project} {home}/work", project)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{PATH}",
        "RUNNER_TEMP": str(home),
        "GITHUB_STEP_SUMMARY": str(home / "summary"),
        "CALLS": str(home / "calls"),
        "FAIL_ON": "incompatible",
    }
    return Runner(home / "work", home, environment)


def test_a_harmless_change(lgc: Lgc, project: Path) -> None:
    harmless(project)
    runner = pull_request(lgc, project)
    for name in CHECKS:
        done = runner.do(name)
        assert done.returncode == 0, done.stdout + done.stderr
    assert runner.do(DIFF).returncode == 0
    assert "`letter`: compatible" in runner.summary
    done = runner.do(COMMENT, GH_TOKEN="token", COMMENTS="repos/a/b/issues/7/comments")
    assert done.returncode == 0, done.stderr
    asked, told = (runner.home / "calls").read_text().splitlines()
    assert "--jq" in asked
    assert told == f"api repos/a/b/issues/7/comments -F body=@{runner.home}/lgc-diff.md --silent"
    assert runner.do(STORE).stdout == "no store is given: nothing to look at\n"
    done = runner.do(STORE, LGC_STORE=str(project.parent / "runs.db"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_breaking_change(lgc: Lgc, project: Path) -> None:
    breaking(project)
    runner = pull_request(lgc, project)
    assert runner.do(CHECKS[0]).returncode == 0
    assert runner.do(DIFF).returncode == 1
    assert "`letter`: incompatible" in runner.summary
    (runner.home / "bin/comments").write_text("https://api.example/comments/1\n")
    assert runner.do(COMMENT, COMMENTS="repos/a/b/issues/7/comments").returncode == 0
    told = (runner.home / "calls").read_text().splitlines()[-1]
    assert told.startswith("api --method PATCH https://api.example/comments/1 -F body=@")
    done = runner.do(STORE, LGC_STORE=str(project.parent / "runs.db"))
    assert done.returncode == 1
    assert "::error" in done.stdout


def test_what_is_stale_or_wrong_or_the_same(lgc: Lgc, project: Path) -> None:
    (project / "README").write_text("no graph has changed")
    runner = pull_request(lgc, project)
    assert runner.do(DIFF).returncode == 0
    assert runner.do(COMMENT, COMMENTS="repos/a/b/issues/7/comments").returncode == 0
    assert len((runner.home / "calls").read_text().splitlines()) == 1  # asked, and wrote nothing
    edit(runner.folder, "max_visits 5", "max_visits 6")
    done = runner.do(CHECKS[1])
    assert done.returncode == 1
    assert "::error file=letter_lg.py" in done.stdout
    edit(runner.folder, "start -> write", "start -> wirte")
    done = runner.do(CHECKS[0])
    assert done.returncode == 1
    assert "::error file=letter.lgraph" in done.stdout
    done = runner.do(DIFF)
    assert done.returncode == 1
    assert "the new side (.) has" in done.stderr
    assert runner.do(COMMENT, COMMENTS="x").returncode == 0  # there is nothing to say


def test_a_workflow_that_is_there_is_kept(lgc: Lgc, project: Path) -> None:
    path = project / ".github/workflows/lgc.yml"
    path.write_text("mine")
    ran = lgc("init", "--ci")
    assert ran.status == 2
    assert "is there already" in ran.err
    assert path.read_text() == "mine"


def test_the_page_shows_the_workflow() -> None:
    text = WORKFLOW.read_text()
    assert f"```yaml\n{text}```" in (ROOT / "docs/drift.md").read_text()
    for step in steps().values():
        assert "${{" not in step.run  # values reach a script by its environment only
    assert "pull_request_target" not in text
    assert STORE in steps()
    assert all("!cancelled()" in one.condition for one in list(steps().values())[2:])


# --- pre-commit -------------------------------------------------------------------------------------------


def hooks() -> dict[str, dict[str, str]]:
    """The hooks that the repository offers, by id."""
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    blocks = [dict(re.findall(r"^[- ] (\w+): (.*)$", one, re.MULTILINE)) for one in text.split("\n\n")]
    return {one["id"]: one for one in blocks}


def run_hook(lgc: Lgc, name: str) -> Any:
    """Run a hook as pre-commit does: its words, then the changed files that it is for, if it wants them."""
    hook = hooks()[name]
    changed = shell("git add -A; git diff --cached --name-only --diff-filter=d", Path()).split()
    files = [path for path in changed if re.search(hook["files"], path)]
    assert files, f"{name} is not for any of {changed}"
    words = [*shlex.split(hook["entry"]), *json.loads(hook.get("args", "[]"))]
    words += [] if hook.get("pass_filenames") == "false" else files
    assert words[0] == "lgc"
    return lgc(*words[1:])


def test_the_hooks(lgc: Lgc, project: Path) -> None:
    assert set(hooks()) == {"lgc-check", "lgc-fmt", "lgc-build-check", "lgc-diff"}
    harmless(project)
    assert run_hook(lgc, "lgc-check").status == 0
    assert run_hook(lgc, "lgc-diff").status == 0
    assert run_hook(lgc, "lgc-build-check").status == 1
    lgc("build")
    assert run_hook(lgc, "lgc-build-check").status == 0
    before = (project / "letter.lgraph").read_text()
    edit(project, "graph letter(Letter) {", "graph  letter(Letter){")
    assert run_hook(lgc, "lgc-fmt").status == 0
    assert (project / "letter.lgraph").read_text() == before
    breaking(project)
    ran = run_hook(lgc, "lgc-diff")
    assert ran.status == 1
    assert ran.out.startswith("letter: incompatible")
    edit(project, "start -> write", "start -> wirte")
    assert run_hook(lgc, "lgc-check").status == 1
