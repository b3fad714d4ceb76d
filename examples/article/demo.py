"""The whole way, in under a minute: check, build, run, kill, resume, approve, refuse a change, migrate.

Everything happens in a copy, `build/demo`, with the command `lgc` as anybody would call it. Each stage says
what it shows, prints the commands, and stops the demonstration with status 1 if it did not happen.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE.parents[1] / "build" / "demo"
LGC = Path(sys.executable).parent / "lgc"
LIVELY = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1", "ARTICLE_PAUSE": "0.2"}
STAGES = 8

RUN = "constitution"
EDITOR = "editor@example.org"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Unexpected(Exception):
    """A stage did not show what it is there to show."""


# --- saying and doing -------------------------------------------------------------------------------------


def styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if LIVELY else text


def heading(number: int, text: str) -> None:
    print("\n" + styled(f"[{number}/{STAGES}] {text}", "1;36"), flush=True)


def say(text: str) -> None:
    print(styled(text, "2"), flush=True)


def near(path: Path) -> Path:
    """A path as it is best shown here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def check(truth: bool, what: str) -> None:
    """Say that something holds, or stop."""
    if not truth:
        raise Unexpected(what)
    print(styled(f"  ok: {what}", "32"), flush=True)


def lgc(*words: str, status: int = 0, kill_at: str = "", after: int = 1, tail: int = 0) -> str:
    """Call the command in the work folder and show what it prints; give it without colours.

    Args:
        status: the exit status that it must have.
        kill_at: end it with `kill -9` as soon as it prints this for the `after`-th time.
        tail: show only so many lines at the end (0: all).
    """
    print(styled("$ lgc " + " ".join(words), "1"), flush=True)
    command = [str(LGC), "--color", "always" if LIVELY else "never", *words]
    printed: list[str] = []
    with subprocess.Popen(
        command, cwd=WORK, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(ANSI.sub("", line))
            if not tail:
                print("  " + line, end="", flush=True)
            if kill_at and sum(kill_at in one for one in printed) == after:
                process.kill()
                break
    text = "".join(printed)
    if tail:
        lines = text.splitlines()
        print(f"  ... {len(lines) - tail} lines" if len(lines) > tail else "  ...")
        print("".join(f"  {line}\n" for line in lines[-tail:]), end="", flush=True)
    expected = -9 if kill_at else status
    if process.returncode != expected:
        shown = f"\n{text}" if tail else ""
        raise Unexpected(f"`lgc {words[0]}` left with status {process.returncode}, not {expected}{shown}")
    return text


def edit(*changes: tuple[str, str]) -> str:
    """Change article.lgraph; its text before."""
    place = WORK / "article.lgraph"
    before = text = place.read_text(encoding="utf-8")
    for old, new in changes:
        if old not in text:
            raise Unexpected(f"article.lgraph has no `{old}`")
        print(
            styled(f"  - {old.strip()}", "31")
            + (f"\n{styled(f'  + {new.strip()}', '32')}" if new.strip() else "")
        )
        text = text.replace(old, new, 1)
    place.write_text(text, encoding="utf-8")
    return before


def put_back(text: str) -> None:
    (WORK / "article.lgraph").write_text(text, encoding="utf-8")


def steps(run: str) -> list[dict[str, str]]:
    """The committed steps of a run, from the store."""
    done = subprocess.run(
        [str(LGC), "log", run, "--json"],
        cwd=WORK,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- the stages -------------------------------------------------------------------------------------------


def find_a_mistake() -> None:
    heading(1, "Two mistakes are found before anything runs")
    before = edit(("records SetDraft\n", "records SetDarft\n"), ("sign_off -> end     on timeout\n", "\n"))
    text = lgc("check", "article.lgraph", status=1)
    check("LG101" in text and "SetDraft" in text, "the misspelt mutation is named, with the right one")
    check("LG405" in text and "sign_off" in text, "the barrier that nobody may answer in time lacks an edge")
    put_back(before)


def build() -> None:
    heading(2, "The graph checks clean, has a hash, and becomes typed Python")
    lgc("check", ".")
    text = lgc("hash", "article.lgraph")
    check(
        re.search(r"lg1:[0-9a-f]{64}", text) is not None,
        "the hash is over what the graph means, not its layout",
    )
    lgc("build", ".", "--out", "generated")
    check((WORK / "generated" / "article_lg.py").is_file(), "generated/article_lg.py is there")
    text = lgc("test", ".")
    check("passed" in text, "its scenarios pass on the real engine, without any Python of ours")


def run_and_kill() -> list[dict[str, str]]:
    heading(3, "A run is killed with kill -9, inside a branch")
    say("  (each node takes its time here, so that there is something to see)")
    lgc(
        "run",
        "article.lgraph",
        "--input",
        "@input.json",
        "--run-id",
        RUN,
        kill_at="check/style/check_length",
        after=2,
    )
    say("  killed: no handler ran, nothing was flushed, nothing was said goodbye to")
    text = lgc("show", RUN)
    check("check/style" in text, "the store knows that the run stands in the branches of `check`")
    committed = steps(RUN)
    check(len(committed) > 5, f"{len(committed)} steps are committed")
    return committed


def resume(before: list[dict[str, str]]) -> None:
    heading(4, "Resumed, it goes on in that branch and comes to the barrier")
    text = lgc("resume", RUN)
    check("waiting at sign_off" in text, "the run waits for a person; the process has ended")
    after = steps(RUN)
    check(after[: len(before)] == before, "what was committed before the kill is untouched")
    visits = Counter((step["frame"], step["node"], step["visit"]) for step in after if not step["frame"])
    check(max(visits.values()) == 1, "no committed step was made again")


def approve() -> None:
    heading(5, "Approved from another process, it publishes")
    lgc("decide", RUN, "sign_off", "approve", "--actor", EDITOR)
    page = WORK / "constitution.html"
    check(page.is_file() and "<ol>" in page.read_text("utf-8"), f"the page is there: {near(page)}")


def read_the_log() -> None:
    heading(6, "The log has every step once")
    lgc("log", RUN, tail=14)
    numbers = [step["step"] for step in steps(RUN)]
    check(numbers == [*range(1, len(numbers) + 1)], f"{len(numbers)} steps, numbered without a gap")
    check(EDITOR in lgc("show", RUN, tail=10), "who approved it is part of the run's history")


def refuse() -> None:
    heading(7, "A changed graph refuses a run that it was not made for")
    ENVIRONMENT["ARTICLE_PAUSE"] = "0"
    lgc("run", "article.lgraph", "--input", "@input.json", "--run-id", "second", tail=3)
    say("  while `second` waits for its answer, somebody changes the graph:")
    before = edit(
        ("score:    float = 0.0  range 0.0..1.0", "score:    float = 0.0  range 0.0..10.0"),
        ("max_visits 6", "max_visits 2"),
        (
            "branch style { start -> check_length -> check_repeats -> check_reading -> end }",
            "branch style { start -> check_reading -> check_length -> check_repeats -> end }",
        ),
    )
    lgc("build", ".", "--out", "generated")
    text = lgc("resume", "second", status=1)
    for element in ("score", "grade", "check_length", "check_reading"):
        check(element in text, f"the refusal says what changed at `{element}`")
    put_back(before)
    say("  put back, the graph has its old hash, and the run its old place:")
    lgc("build", ".", "--out", "generated")
    check("waiting at sign_off" in lgc("resume", "second", tail=4), "`second` waits again, nothing is lost")


def migrate() -> None:
    heading(8, "The node where it waits gets another name: the migration is drafted, checked, tried, made")
    place = WORK / "article.lgraph"
    place.write_text(place.read_text(encoding="utf-8").replace("sign_off", "approval"), encoding="utf-8")
    say("  `sign_off` is called `approval` now, everywhere in article.lgraph")
    lgc("build", ".", "--out", "generated")
    text = lgc("drift", ".", status=1)
    check(
        "second" in text and "constitution" not in text, "before the deploy, the run that it breaks is named"
    )
    lgc("migrate", "store:runs.db", "article.lgraph", "--write")
    drafted = place.read_text(encoding="utf-8").partition("\nmigrate ")[2]
    print("".join(f"  {line}\n" for line in f"migrate {drafted}".splitlines()), end="", flush=True)
    check(
        "rename node sign_off to approval" in drafted,
        "the rename is recognised, and offered with its reasons",
    )
    lgc("check", ".", "--against", "store:runs.db")
    lgc("drift", ".", tail=3)
    lgc("build", ".", "--out", "generated")
    lgc("resume", "second", "--mode", "migrate", tail=4)
    check(
        "waiting at approval" in lgc("show", "second", tail=3),
        "`second` waits at `approval`, with all it had",
    )


def main() -> int:
    began = time.monotonic()
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(
        HERE, WORK, ignore=shutil.ignore_patterns("__pycache__", "generated", "*.db*", "*.html.part")
    )
    try:
        find_a_mistake()
        build()
        resume(run_and_kill())
        approve()
        read_the_log()
        refuse()
        migrate()
    except Unexpected as error:
        print(styled(f"\nthe demonstration failed: {error}", "1;31"), file=sys.stderr)
        return 1
    print(
        styled(
            f"\nAll of it held, in {time.monotonic() - began:.0f} s. What it made is in {near(WORK)}", "1;32"
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
