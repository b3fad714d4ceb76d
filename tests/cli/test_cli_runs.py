"""`lgc run`, `resume`, `decide`, `runs`, `show`, `log` …: a run from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]

RUN = ("run", "article.lgraph", "--nodes", "nodes:Nodes", "--input", '{"topic": "Zeno"}', "--run-id", "r1")


def last(out: str) -> Any:
    """The result in the last line of `--json`."""
    return json.loads(out.splitlines()[-1])["result"]


def barrier(out: str) -> str:
    """The id of the barrier that a run waits at."""
    found = re.search(r"lgc decide r1 '([^']+)'", out)
    assert found, out
    return found[1]


def test_from_start_to_end(lgc: Lgc, article: Path, snapshot: Any) -> None:
    ran = lgc(*RUN)
    assert ran.status == 0
    told = re.sub(r"\d+(\.\d+)? (ms|s)\b", "N ms", re.sub(r" \d+\.\d+s", " N.Ns", ran.out))
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", re.sub(r"@\w{12}", "@DIGEST", told)) == snapshot
    ran = lgc("decide", "r1", barrier(ran.out), "approve", "--actor", "ed@example.org")
    assert ran.status == 0
    assert "recorded: " in ran.out
    assert "published" in ran.out
    assert "done after" in ran.out
    assert (article / "runs.db").exists()


def test_json_events(lgc: Lgc, article: Path) -> None:
    ran = lgc(*RUN, "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["node"] for one in lines if one.get("event") == "node_completed"] == ["write", "grade"] * 2
    assert [one["text"] for one in lines if one.get("chunk") == "text"] == ["draft about Zeno\n"] * 2
    result = last(ran.out)
    assert (result["status"], result["step"], result["state"]["revision"]) == ("waiting", 4, 2)
    (waits,) = result["waiting"]
    assert waits["shown"] == {"draft": "Zeno 2, 0 notes", "score": 0.9}
    assert waits["answers"] == {"approve": [], "reject": ["reason", "stars"]}


def test_answers_have_types(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    for words, message in (
        (("rejct",), "did you mean `reject`?"),
        (("reject", "reason=x"), "needs stars=..."),
        (("reject", "reason=x", "stars=many"), "`stars`: 'many' does not fit"),
        (("reject", "reason=x", "stars:=2.5"), "`stars`: '2.5' does not fit"),
        (("reject", "reason=x", "stars=1", "mood=bad"), "no argument `mood`"),
        (("reject", "reason"), "`reason` is not an argument"),
        (("reroute", "node=publish"), "cannot be rerouted to `publish`"),
        (("approve", "--modify", "SetDrft"), "did you mean `SetDraft`?"),
        (("approve", "--modify", "SetDraft={}"), "`text` is missing"),
    ):
        ran = lgc("decide", "r1", "sign_off", *words)
        assert ran.status in (1, 2)
        assert message in ran.err
    assert lgc("decide", "r1", "sgn_off", "approve").status == 2
    assert json.loads(lgc("show", "r1", "--json").out)["decisions"] == []
    ran = lgc("decide", "r1", "sign_off", "reject", "reason=5", "stars=5", "--actor", "a", "--json")
    assert ran.status == 0
    assert last(ran.out)["state"]["notes"] == [{"author": "editor", "text": "5"}]


def test_modify_and_reroute(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    given = 'SetDraft={"text": "mine"}'
    ran = lgc(
        "decide", "r1", "sign_off", "reroute", "node=write", "--modify", given, "--actor", "a", "--json"
    )
    assert last(ran.out)["state"]["revision"] == 4
    (decision,) = json.loads(lgc("show", "r1", "--json").out)["decisions"]
    assert decision["mutations"] == [{"m": "SetDraft", "p": {"text": "mine"}}]
    assert (decision["answer"], decision["actor"], decision["step"]) == ("reroute", "a", 5)


def test_decide_now_and_run_later(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    assert lgc("decide", "r1", "sign_off", "approve", "--actor", "a", "--no-run").status == 0
    assert json.loads(lgc("runs", "--json").out)["runs"][0]["status"] == "waiting"
    assert "done after" in lgc("resume", "r1").out
    ran = lgc("decide", "r1", "sign_off", "approve", "--actor", "a")
    assert ran.status == 1
    assert "the run is done" in ran.err


def test_what_is_shown_may_not_change_unseen(lgc: Lgc, article: Path) -> None:
    first = barrier(lgc(*RUN).out)
    lgc("decide", "r1", first, "reject", "reason=x", "stars=1", "--actor", "a")
    ran = lgc("decide", "r1", first, "approve", "--actor", "a")
    assert ran.status == 1
    assert "does not wait" in ran.err


def test_looking_at_runs(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    lgc(*RUN[:-1], "r2")
    lgc("decide", "r2", "sign_off", "approve", "--actor", "a")
    ran = lgc("runs")
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0] == ["RUN", "GRAPH", "HASH", "STATUS", "STEP", "AT", "AGE"]
    assert [(row[0], row[3], row[4], row[5]) for row in rows[1:]] == [
        ("r2", "done", "6", "end"),
        ("r1", "waiting", "4", "sign_off"),
    ]
    assert lgc("runs", "--status", "failed").out == "no runs like that\n"
    shown = json.loads(lgc("show", "r1", "--json").out)
    assert shown["state"]["draft"] == "Zeno 2, 0 notes"
    assert shown["frames"] == [{"path": "", "graph": "article", "node": "sign_off", "visit": 1}]
    text = lgc("show", "r1").out
    assert "lgc decide r1" in text
    assert '  draft    = "Zeno 2, 0 notes"' in text
    log = [json.loads(line) for line in lgc("log", "r1", "--json").out.splitlines()]
    assert [(one["step"], one["node"], one["visit"], one["next"]) for one in log] == [
        (1, "write", 1, "grade"),
        (2, "grade", 1, "write"),
        (3, "write", 2, "grade"),
        (4, "grade", 2, "sign_off"),
    ]
    assert lgc("log", "r1", "--from-step", "3").out.count("\n") == 3


def test_looking_writes_nothing(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    before = (article / "runs.db").read_bytes()
    for words in (("runs",), ("show", "r1"), ("log", "r1"), ("replay", "r1")):
        assert lgc(*words).status == 0
    assert (article / "runs.db").read_bytes() == before


def test_replay_and_fork(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    one = json.loads(lgc("replay", "r1", "--to-step", "1", "--json").out)
    assert (one["step"], one["node"], one["state"]["revision"]) == (1, "grade", 1)
    assert json.loads(lgc("replay", "r1", "--to-step", "0", "--json").out)["state"]["draft"] is None
    assert lgc("replay", "r1", "--to-step", "9").status == 2
    assert lgc("fork", "r1", "--step", "1", "--run-id", "f1").status == 0
    ran = lgc("resume", "f1", "--json")
    assert last(ran.out)["state"]["revision"] == 2
    assert json.loads(lgc("show", "f1", "--json").out)["parent"] == "r1@1"
    assert json.loads(lgc("replay", "r1", "--json").out)["step"] == 4


def test_cancel(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    assert lgc("cancel", "r1").status == 0
    assert lgc("cancel", "r1").status == 1
    ran = lgc("resume", "r1")
    assert ran.status == 1
    assert "cancelled" in ran.out


def test_a_changed_graph_is_refused(lgc: Lgc, article: Path) -> None:
    lgc(*RUN)
    path = article / "article.lgraph"
    path.write_text(path.read_text().replace("max_visits 3", "max_visits 5"))
    for words in (("resume", "r1"), ("decide", "r1", "sign_off", "approve"), ("replay", "r1")):
        ran = lgc(*words)
        assert ran.status == 1
        assert "edge `grade -> write` changed its max_visits from 3 to 5" in ran.err
    assert lgc("show", "r1").status == 0
    refused = last(lgc("resume", "r1", "--json").out)
    assert refused["error"]["kind"] == "GraphMismatch"
    assert [one["element"] for one in refused["error"]["changes"]] == ["edges/grade"]
    assert lgc("resume", "r1", "--mode", "force").status == 2
    ran = lgc("resume", "r1", "--mode", "force", "--reason", "one more loop", "--actor", "a")
    assert ran.status == 0
    (override,) = json.loads(lgc("show", "r1", "--json").out)["overrides"]
    assert (override["reason"], override["actor"], override["step"]) == ("one more loop", "a", 4)


def test_a_failed_run_can_be_mended(lgc: Lgc, article: Path) -> None:
    nodes = article / "nodes.py"
    text = nodes.read_text()
    nodes.write_text(text.replace("done = ctx.visit > 1", "raise OSError('no disk')"))
    ran = lgc(*RUN)
    assert ran.status == 1
    assert "grade failed: `grade` raised OSError: no disk" in ran.out
    assert "lgc resume r1" in ran.out
    assert "Traceback" not in ran.err + ran.out
    nodes.write_text(text)
    assert last(lgc("resume", "r1", "--json").out)["status"] == "waiting"


def test_built_modules_are_used_unless_stale(lgc: Lgc, article: Path) -> None:
    lgc("build", ".", "--out", ".")
    assert lgc(*RUN).status == 0
    path = article / "article.lgraph"
    path.write_text(path.read_text().replace("max_visits 3", "max_visits 5"))
    ran = lgc(*RUN[:-1], "r2")
    assert ran.status == 1
    assert "LG901" in ran.err
    lgc("build", ".", "--out", ".")
    assert lgc(*RUN[:-1], "r2").status == 0


def test_nodes_in_a_package(lgc: Lgc, article: Path) -> None:
    package = article / "app"
    package.mkdir()
    (package / "__init__.py").write_text("")
    text = (article / "nodes.py").read_text().replace("from article_lg", "from app.article_lg")
    (package / "steps.py").write_text(text)
    assert lgc(*[word.replace("nodes:Nodes", "app.steps:Nodes") for word in RUN]).status == 0
    assert lgc(*[word.replace("nodes:Nodes", "app/steps.py:Nodes") for word in RUN[:-1]], "r2").status == 0
    lgc("build", "article.lgraph", "--out", "app")
    assert lgc(*[word.replace("nodes:Nodes", "app.steps:Nodes") for word in RUN[:-1]], "r3").status == 0


def test_transients(lgc: Lgc, place: Path) -> None:
    (place / "t.lgraph").write_text(
        'opaque Clock = "somewhere:Clock"\n'
        "state S { transient clock: Clock  time: int = 0  mutation Set(time) }\n"
        "graph g(S) { task look { reads clock  records Set }  start -> look -> end }\n"
    )
    nodes = "import t_lg\n\ndef look(ctx):\n    ctx.record(t_lg.Set(time=ctx.state.clock + 1))\n"
    (place / "nodes.py").write_text(nodes)
    ran = lgc("run", "t.lgraph", "--nodes", "nodes")
    assert ran.status == 2
    assert "transient field `clock`" in ran.err
    (place / "nodes.py").write_text(nodes + "\ndef transients():\n    return {'clock': 41}\n")
    assert last(lgc("run", "t.lgraph", "--nodes", "nodes", "--json").out)["state"] == {"time": 42}
    assert lgc("run", "t.lgraph", "--nodes", "nodes", "--input", '{"clock": 1}').status == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{}", "`topic` is missing"),
        ('{"topic": 5}', "`topic`: input should be a valid string"),
        ('{"topc": "x"}', "did you mean `topic`?"),
        ('{"topic": "x", "score": 3.0}', "outside 0.0..1.0"),
        ("[]", "must be a JSON object"),
        ("{", "is not JSON"),
        ("@nowhere.json", "nowhere.json"),
    ],
)
def test_input_that_does_not_fit(lgc: Lgc, article: Path, given: str, message: str) -> None:
    ran = lgc("run", "article.lgraph", "--nodes", "nodes:Nodes", "--input", given)
    assert ran.status == 2
    assert message in ran.err
    assert not (article / "runs.db").exists()


def test_input_from_a_file_or_standard_input(lgc: Lgc, article: Path) -> None:
    (article / "in.json").write_text('{"topic": "Ada"}')
    words = [word for word in RUN if word not in ("--input", '{"topic": "Zeno"}')]
    assert last(lgc(*words, "--input", "@in.json", "--json").out)["state"]["topic"] == "Ada"
    ran = lgc(*words[:-1], "r2", "--input", "@-", "--json", stdin=b'{"topic": "Bob"}')
    assert last(ran.out)["state"]["topic"] == "Bob"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("", "say where the functions are: --nodes MODULE[:CLASS]"),
        ("nowhere", "no module `nowhere`"),
        ("nodes:Noodles", "did you mean `Nodes`?"),
        ("nodes", "no function for `write`"),
        ("missing.py", "no such file"),
        ("broken", "cannot import `broken`: ZeroDivisionError: division by zero"),
        ("broken.py", "cannot import broken.py: ZeroDivisionError"),
        ("picky:Picky", "cannot be made without arguments"),
    ],
)
def test_nodes_that_cannot_be_used(lgc: Lgc, article: Path, nodes: str, message: str) -> None:
    (article / "broken.py").write_text("x = 1 / 0\n")
    (article / "picky.py").write_text("class Picky:\n    def __init__(self, x): ...\n")
    ran = lgc("run", "article.lgraph", "--nodes", nodes, "--input", '{"topic": "x"}')
    assert ran.status == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_stores(lgc: Lgc, article: Path) -> None:
    assert lgc("runs").status == 2
    assert lgc("show", "r1", "--store", "nowhere.db").status == 2
    assert lgc("resume", "r1", "--store", "nowhere.db").status == 2
    assert not (article / "nowhere.db").exists()
    assert lgc("runs", "--store", "redis://x").status == 2
    (article / "text.db").write_text("not a database, whatever its name says" * 100)
    assert lgc("runs", "--store", "text.db").status == 2
    assert lgc(*RUN, "--store", "sqlite:///mine.db").status == 0
    assert (article / "mine.db").exists()
    assert "--store mine.db" in lgc("show", "r1", "--store", "mine.db").out
    assert lgc(*RUN, "--store", "mine.db").status == 2  # there is a run of that id
    lgc(*RUN[:-1], "nightly", "--store", "mine.db")
    ran = lgc("show", "nihgtly", "--store", "mine.db")
    assert ran.status == 2
    assert "did you mean `nightly`?" in ran.err
    assert lgc("show", "nigh", "--store", "mine.db").status == 0
    assert lgc(*RUN, "--store", "memory:").status == 0


def test_settings_name_store_and_nodes(lgc: Lgc, article: Path) -> None:
    (article / "pyproject.toml").write_text('[tool.lgc]\nstore = "data.db"\nnodes = "nodes:Nodes"\n')
    assert lgc("run", "article.lgraph", "--input", '{"topic": "x"}', "--run-id", "r1").status == 0
    assert (article / "data.db").exists()
    assert lgc("runs").status == 0
