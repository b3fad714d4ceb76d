"""One edit at a time, on a graph with one of everything: which elements change, and that nothing else does.

Both directions of section 11 of the language: what is covered changes the hash, and exactly the element that
it belongs to; what is left out changes nothing.
"""

# ruff: noqa: E501  (one row an edit)

from pathlib import Path

import pytest

from lgc.compiler import canonical, check
from lgc.compiler.model import Key, Program
from lgc.compiler.rules import BY_CODE
from lgc.dsl.diagnostic import Severity
from lgc.dsl.source import Source
from lgc.runtime.changes.compare import compare
from lgc.runtime.changes.kinds import KINDS

RICH = Path(__file__).parents[1] / "corpus" / "hash" / "rich"
FILES = {name: (RICH / name).read_text() for name in ("main.lgraph", "common.lgraph", "pages.lgraph")}
Edits = tuple[tuple[str, str], ...]


def compiled(files: dict[str, str]) -> Program:
    """The resolved graphs of files; only the first is given, the others are imported.

    What they mean must be known; an edit may leave a graph that only a proof about its runs refuses.
    """
    first, *_ = files
    result = check(
        [Source(first, files[first])],
        load=lambda path: files[path].encode() if path in files else None,
    )
    unclear = [
        str(f) for f in result.diagnostics if f.severity is Severity.ERROR and not BY_CODE[f.code].allowable
    ]
    assert not unclear
    return result.program


def edited(name: str, edits: Edits) -> dict[str, str]:
    """The files after replacing, in one of them, each old text, which must be there exactly once."""
    text = FILES[name]
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return {**FILES, name: text}


ORIGINAL = compiled(dict(FILES))
WORK = Key("main.lgraph", "work")


def graph(program: Program) -> Key:
    """The graph of the main file, whatever it is called."""
    return next(key for key in program.graphs if key.path == "main.lgraph" and key.name in ("work", "job"))


COVERED: list[tuple[str, Edits, set[str]]] = [
    # the graph
    ("graph name", (("graph work(", "graph job("), ("for work", "for job")), {"graph"}),
    ("state name", (("state Work {", "state Job {"), ("graph work(Work)", "graph work(Job)")), {"graph"}),
    ("max_steps", (("max_steps 200", "max_steps 201"),), {"graph"}),
    ("max_steps dropped", (("max_steps 200", ""),), {"graph"}),
    # fields
    ("field type", (("born:     date", "born: str"),), {"state/field/born"}),
    ("field optional", (("born:     date", "born: date?"),), {"state/field/born"}),
    ("default", (("count:    int = 3", "count: int = 4"), ("expect count == 4", "")), {"state/field/count"}),
    ("default dropped", (("bool = true", "bool"), ('"Zeno" }', '"Zeno" open = true }')), {"state/field/open"}),
    ("default given", (('  topic:    str', '  topic: str = ""'),), {"state/field/topic"}),
    ("default of a decimal shows its digits", (("= 1.50", "= 1.5"),), {"state/field/price"}),
    ("default of a dict in another order", (('{"x": 1, "y": 2}', '{"y": 2, "x": 1}'),), {"state/field/seen"}),
    ("range", (("range 0.0..1.0", "range 0.0..1.5"),), {"state/field/score"}),
    ("range dropped", (("range 0.0..1.0", ""),), {"state/field/score"}),
    ("range closed", (("range 0..", "range 0..9"),), {"state/field/count"}),
    ("length", (("length 1..80", "length 1..81"),), {"state/field/title"}),
    ("length open", (("length 1..80", "length 1.."),), {"state/field/title"}),
    ("pattern", (("[a-z ]+", "[a-z ]*"),), {"state/field/title"}),
    ("merge rule", (("merge max", "merge min"),), {"state/field/best"}),
    ("merge dropped", (("merge union", ""),), {"state/field/seen"}),
    ("merge function", (("app.merging:logs", "app.merging:lines"),), {"state/field/log"}),
    ("merge added", (("bool = true", "bool = true merge last"),), {"state/field/open"}),
    ("field added", (("  transient", "  extra: int = 0\n  transient"),), {"state/field/extra"}),
    ("field removed", (("  price:    decimal = 1.50\n", ""),), {"state/field/price"}),
    ("field renamed", (("  born: ", "  birth: "),), {"state/field/born", "state/field/birth"}),
    ("durable made transient", (("  born: ", "  transient born: "), ('= "2024-02-29"', "")), {"state/field/born"}),
    # enums, records, unions
    ("union member", (("= Note | Link", "= Note"), ("import Note, Link,", "import Note,")), {"union/Remark", "record/Link"}),
    # mutations
    ("parameter type", (("text: str)   {", "text: str?)   {"),), {"state/mutation/SetDraft"}),
    ("parameter name", (("SetDraft(text: str)   { draft = text", "SetDraft(t: str) { draft = t"),), {"state/mutation/SetDraft"}),
    ("parameter order", (("Visit(url: str, ok: bool)", "Visit(ok: bool, url: str)"), ("Visit(url, done)", "Visit(done, url)")), {"state/mutation/Visit"}),
    ("parameters of the short form", (("Grade(score, verdict)\n", "Grade(score, verdict, pause)\n"), ("Grade(0.0, Verdict.reject)", "Grade(0.0, Verdict.reject, 1s)")), {"state/mutation/Grade", "node/sign_off"}),
    ("statement added", (("count += 1 }", "count += 1  open = false }"),), {"state/mutation/SetDraft"}),
    ("statement removed", (("  count += 1 }", " }"), ("expect count == 4", "")), {"state/mutation/SetDraft"}),
    ("statement's operator", (("count += 1 }", "count -= 1 }"), ("expect count == 4", "")), {"state/mutation/SetDraft"}),
    ("statement's constant", (("count += 1 }", "count += 2 }"), ("expect count == 4", "")), {"state/mutation/SetDraft"}),
    ("statements in another order", (("draft = text  count += 1", "count += 1  draft = text"),), {"state/mutation/SetDraft"}),
    ("maximum to minimum", (("max(best, to)", "min(best, to)"),), {"state/mutation/Raise"}),
    ("maximum to value", (("max(best, to)", "to"),), {"state/mutation/Raise"}),
    ("key of an entry", (('seen["last"]', 'seen["latest"]'),), {"state/mutation/Raise"}),
    ("deleted entry", (('del seen["x"]', 'del seen["y"]'),), {"state/mutation/Raise"}),
    ("field of a sub-state", (("page.url = url", "title = url"),), {"state/mutation/Visit"}),
    ("operands in another order", (("ok and not open", "not open and ok"),), {"state/mutation/Visit"}),
    ("Python function", (("app.pure:compute", "app.pure:count"),), {"state/mutation/Compute"}),
    ("what the function writes", (("writes count, score", "writes count"),), {"state/mutation/Compute"}),
    ("mutation added", (("  mutation AddNote", "  mutation Shut() { open = false }\n  mutation AddNote"),), {"state/mutation/Shut"}),
    ("mutation renamed", (("mutation Compute(", "mutation Count("), ("Raise, Compute", "Raise, Count")), {"state/mutation/Compute", "state/mutation/Count", "node/grade"}),
    # tasks
    ("reads more", (("topic, notes, model", "topic, notes, model, count"),), {"node/write"}),
    ("reads less", (("topic, notes, model", "topic, model"),), {"node/write"}),
    ("reads all", (("topic, notes, model", "*"),), {"node/write"}),
    ("transient field renamed", (("transient model", "transient engine"), ("notes, model", "notes, engine")), {"node/write"}),
    ("requires", (("publish { reads draft!", "publish { reads draft"),), {"node/publish"}),
    ("records more", (("soften      { reads draft!  records AddNote", "soften { reads draft! records AddNote, Raise"),), {"node/soften"}),
    ("records less", (("records SetDraft, AddNote\n    ensures", "records SetDraft\n    ensures"),), {"node/write"}),
    ("ensures", (("    ensures draft\n", ""), ), {"node/write"}),
    ("goto", (("goto publish, write", "goto publish"),), {"node/grade"}),
    ("goto end", (("goto publish, write", "goto publish, write, end"),), {"node/grade"}),
    ("effect", (("effect once", "effect pure"),), {"node/publish"}),
    ("effect dropped", (("effect once", ""),), {"node/publish"}),
    ("kind", (("decision choose", "task choose"),), {"node/choose"}),
    # barriers
    ("answer added", (("    decision approve\n", "    decision approve\n    decision later\n"), ("  sign_off -> end     on timeout", "  sign_off -> end on timeout\n  sign_off -> end on later")), {"node/sign_off", "edges/sign_off"}),
    ("answer's parameters", (("reason: str, hard: bool", "reason: str"),), {"node/sign_off"}),
    ("answer's parameter type", (("hard: bool", "hard: int"),), {"node/sign_off"}),
    ("what an answer records", ((', Grade(0.0, Verdict.reject)', ""),), {"node/sign_off"}),
    ("order of what an answer records", (('AddNote(Note(author = "editor", text = reason)), Grade(0.0, Verdict.reject)', 'Grade(0.0, Verdict.reject), AddNote(Note(author = "editor", text = reason))'),), {"node/sign_off"}),
    ("a map's output added", (('out AddNote(Note(author = link, text = "seen"))', 'out AddNote(Note(author = link, text = "seen")), AddNote(Note(author = link, text = "twice"))'),), {"node/gather"}),
    ("argument of what an answer records", (("Grade(0.0, V", "Grade(0.1, V"),), {"node/sign_off"}),
    ("modify", (("modify   SetDraft, AddNote", "modify SetDraft"),), {"node/sign_off"}),
    ("reroute", (("reroute  write, grade", "reroute write"),), {"node/sign_off"}),
    ("what time decides", (('decides reject(reason = "late")', "decides approve"),), {"node/wait"}),
    ("what time says", (('reason = "late"', 'reason = "too late"'),), {"node/wait"}),
    # parallels
    ("join any", (("join all", "join any"),), {"node/check"}),
    ("join first", (("join all", "join first 2"),), {"node/check"}),
    ("on_error collect", (("on_error fail", "on_error collect"),), {"node/check"}),
    ("branch added", (("    join all", "    branch third = third\n    join all"), ("  task soften", "  task third\n  task soften")), {"node/check", "node/third", "edges/check/third/start", "edges/third"}),
    ("branch renamed", (("branch facts", "branch truth"),), {"node/check", "node/check_facts", "edges/check/facts/start", "edges/check/truth/start"}),
    ("branch order", (("    branch facts = check_facts\n", ""), ("    join all", "    branch facts = check_facts\n    join all")), {"node/check"}),
    # subgraphs and maps
    ("lens", (("refine = polish { on page }", "refine = polish { in url = topic }"),), {"node/refine"}),
    ("graph run", (("refine = polish", "refine = fetch"), ("Page, fetch, polish", "Page, fetch")), {"node/refine", "subgraph/polish"}),
    ("input", (("in url = topic, done = false", "in url = topic, done = true"),), {"node/load"}),
    ("input dropped", (("in url = topic, done = false", "in url = topic"),), {"node/load"}),
    ("output", (("out Visit(url, done) ", "out Visit(url, not done) "),), {"node/load"}),
    ("subgraph's max_steps", (("max_steps 50", "max_steps 51"),), {"node/load"}),
    ("elements", (("over urls as link", "over [topic] as link"),), {"node/gather"}),
    ("name of the element", (("urls as link", "urls as one"), ("in url = link", "in url = one"), ("author = link", "author = one")), {"node/gather"}),
    ("map's output", (('text = "seen"', 'text = "read"'),), {"node/gather"}),
    ("map's on_error", (("on_error collect", "on_error fail"),), {"node/gather"}),
    ("map's max_steps", (("max_steps 20\n", "max_steps 21\n"),), {"node/gather"}),
    # edges
    ("target", (("choose -> wait     else", "choose -> end else"), ("grade -> choose", "grade -> write max_visits 9  grade -> choose"), ("refine -> load -> end", "refine -> load -> wait")), {"edges/choose", "edges/grade", "edges/load"}),
    ("target of a plain edge", (("gather -> publish", "gather -> end"),), {"edges/gather"}),
    ("target of an outcome", (("sign_off -> end     on timeout", "sign_off -> write on timeout"),), {"edges/sign_off"}),
    ("target of start", (("start -> write -> check", "start -> grade  write -> check"),), {"edges/start"}),
    ("guard's constant", (("score > 0.5", "score > 0.6"),), {"edges/choose"}),
    ("guard's operator", (("score > 0.5", "score >= 0.5"),), {"edges/choose"}),
    ("guard's enum member", (("== Verdict.accept", "== Verdict.reject"),), {"edges/choose"}),
    ("guard's operands", (("verdict == Verdict.accept and score > 0.5", "score > 0.5 and verdict == Verdict.accept"),), {"edges/choose"}),
    ("visits of another node", (("visits(write)", "visits(grade)"),), {"edges/choose"}),
    ("order of when edges", (("  choose -> sign_off when verdict == Verdict.accept and score > 0.5\n", ""), ("max_visits 3\n", "max_visits 3\n  choose -> sign_off when verdict == Verdict.accept and score > 0.5\n")), {"edges/choose"}),
    ("max_visits", (("max_visits 3", "max_visits 4"),), {"edges/choose"}),
    ("max_visits dropped", (("max_visits 3", ""),), {"edges/choose"}),
    ("max_visits added", (("choose -> wait     else", "choose -> write else max_visits 5  choose -> wait else"),), {"edges/choose"}),
    ("edge added", (("  publish -> end", "  publish -> end\n  write -> end on timeout"),), {"edges/write"}),
    ("edge removed", (("  gather -> end on error\n", ""),), {"edges/gather"}),
    ("trigger", (("check -> publish on error", "load -> publish on error"),), {"edges/check", "edges/load"}),
    ("edge of a branch", (("soften when count > 3", "soften when count > 4"),), {"edges/check_style"}),
    ("start of a branch", (("start -> check_style  check_style", "start -> soften  check_style"), ("check_style -> end else  soften -> end", "check_style -> end else  soften -> check_style max_visits 1  soften -> end")), {"edges/check/style/start", "edges/soften"}),
    ("node renamed", (("task publish {", "task print {"), ("goto publish, write", "goto print, write"), ("check -> publish on", "check -> print on"), ("sign_off -> publish on", "sign_off -> print on"), ("wait -> publish on", "wait -> print on"), ("gather -> publish", "gather -> print"), ("publish -> end", "print -> end")), {"node/publish", "node/print", "edges/publish", "edges/print", "edges/check", "edges/sign_off", "edges/wait", "edges/gather", "node/grade"}),
]  # fmt: skip

COVERED_ELSEWHERE: list[tuple[str, str, Edits, set[str]]] = [
    ("record's field type", "common.lgraph", (("url: str  title", "url: bytes  title"),), {"record/Link"}),
    ("record's field added", "common.lgraph", (("title: str? }", "title: str?  rank: int = 0 }"),), {"record/Link"}),
    ("record's default", "common.lgraph", (("title: str? }", 'title: str? = "" }'),), {"record/Link"}),
    ("record used by others too", "common.lgraph", (("= 1.0", "= 2.0"),), {"record/Note", "subgraph/fetch", "subgraph/polish"}),
    ("enum member added", "common.lgraph", (("revise, reject", "revise, reject, defer"),), {"enum/Verdict"}),
    ("enum member renamed", "common.lgraph", (("{ accept, revise, reject }", "{ accept, revise, reject, ok }"),), {"enum/Verdict"}),
    ("sub-state's field", "pages.lgraph", (('str = ""', 'str = "x"'),), {"substate/Page/field/url", "subgraph/fetch", "subgraph/polish"}),
    ("sub-state's mutation", "pages.lgraph", (("done = true", "done = not done"),), {"subgraph/fetch", "subgraph/polish"}),
    ("subgraph's node", "pages.lgraph", (("get { reads url ", "get { "),), {"subgraph/fetch"}),
    ("subgraph's edge", "pages.lgraph", (("get -> end", "get -> get max_visits 2  get -> end"),), {"subgraph/fetch"}),
]  # fmt: skip

LEFT_OUT: list[tuple[str, str, Edits]] = [
    # text
    ("comments", "main.lgraph", (("union Remark", "// a comment\nunion Remark"), ("join all", "join all // the default"))),
    ("docs", "main.lgraph", (("/// Everything that a run knows.\n", ""), ("  task soften", "  /// Softens.\n  task soften"))),
    ("layout", "main.lgraph", (("union Remark = Note | Link", "union\tRemark =\n  Note |\n\n Link"),)),
    ("line ends", "main.lgraph", (("\n\nunion", "\r\n\r\nunion"),)),
    # order
    ("order of declarations", "common.lgraph", (("enum Verdict { accept, revise, reject }\n", ""), ("record Link", "enum Verdict { accept, revise, reject }\nrecord Link"))),
    ("order of fields", "main.lgraph", (("  topic:    str\n", ""), ("  born:", "  topic: str\n  born:"))),
    ("order of a record's fields", "common.lgraph", (("url: str  title: str?", "title: str?  url: str"),)),
    ("order of enum members", "common.lgraph", (("accept, revise, reject", "reject, accept, revise"),)),
    ("order of union members", "main.lgraph", (("= Note | Link", "= Link | Note"),)),
    ("order of mutations", "main.lgraph", (("  mutation Grade(score, verdict)\n", ""), ("  mutation Compute", "  mutation Grade(score, verdict)\n  mutation Compute"))),
    ("order of nodes", "main.lgraph", (("  decision choose\n", ""), ("  task publish", "  decision choose\n  task publish"))),
    ("order of reads", "main.lgraph", (("reads   topic, notes, model", "reads model, topic, notes"),)),
    ("order of records", "main.lgraph", (("records SetDraft, AddNote\n    ensures", "records AddNote, SetDraft\n    ensures"),)),
    ("order of goto", "main.lgraph", (("goto publish, write", "goto write, publish"),)),
    ("order of modify", "main.lgraph", (("modify   SetDraft, AddNote", "modify AddNote, SetDraft"),)),
    ("order of reroute", "main.lgraph", (("reroute  write, grade", "reroute grade, write"),)),
    ("order of answers", "main.lgraph", (("    decision approve\n", ""), ("    modify ", "    decision approve\n    modify "))),
    ("order of what a function writes", "main.lgraph", (("writes count, score", "writes score, count"),)),
    ("order of clauses", "main.lgraph", (("    reads   topic, notes, model\n", ""), ("    impl ", "    reads topic, notes, model\n    impl "))),
    ("order of inputs", "main.lgraph", (("in url = topic, done = false", "in done = false, url = topic"),)),
    ("order of edges of different nodes", "main.lgraph", (("  publish -> end\n", ""), ("  start -> write -> check", "  publish -> end\n  start -> write -> check"))),
    ("order of when and else", "main.lgraph", (("  choose -> wait     else\n", ""), ("  choose -> sign_off when", "  choose -> wait else\n  choose -> sign_off when"))),
    ("order of outcomes", "main.lgraph", (("  sign_off -> end     on timeout\n", ""), ("  sign_off -> publish on", "  sign_off -> end on timeout\n  sign_off -> publish on"))),
    ("order of settings", "main.lgraph", (("  max_steps 200\n", ""), ("  decision choose", "  max_steps 200\n  decision choose"))),
    ("order of a set's items", "main.lgraph", (('["b", "a"]', '["a", "b"]'),)),
    ("chains", "main.lgraph", (("start -> write -> check -> grade", "start -> write\n  write -> check\n  check -> grade"),)),
    ("branch written out", "main.lgraph", (("branch facts = check_facts", "branch facts { start -> check_facts -> end }"),)),
    # scenarios, imports, what is not used
    ("declarations that are not used", "main.lgraph", (("union Remark", "enum Unused { a }\nrecord Spare { e: Unused }\nstate Other { r: Spare? }\nopaque Thing = \"a:B\"\ngraph other(Other) { start -> end }\nunion Remark"),)),
    ("class of an opaque type that is not read", "main.lgraph", (("transient model: Model", "transient model: Model\n  transient more: Model?"),)),
    ("scenario", "main.lgraph", (("expect count == 4", "expect count > 1"),)),
    ("order of imported names", "main.lgraph", (("import Note, Link, Verdict", "import Verdict, Link, Note"),)),
    # spelling
    ("parentheses", "main.lgraph", (("verdict == Verdict.accept and score > 0.5", "((verdict == (Verdict.accept)) and (score > (0.5)))"),)),
    ("comparison turned round", "main.lgraph", (("score > 0.5", "0.5 < score"),)),
    ("other comparison turned round", "main.lgraph", (("len(urls) >= 1", "1 <= len(urls)"),)),
    ("number's spelling", "main.lgraph", (("max_steps 200", "max_steps 2_00"),)),
    ("float's spelling", "main.lgraph", (("score > 0.5", "score > 5e-1"),)),
    ("duration's spelling", "main.lgraph", (("duration = 60s", "duration = 1m"),)),
    ("string's spelling", "main.lgraph", (('text = "seen"', 'text = "\\u0073een"'),)),
    ("string over several lines", "main.lgraph", (('text = "seen"', 'text = """seen"""'),)),
    ("bounds' spelling", "main.lgraph", (("range 0.0..1.0", "range 0..1.00"),)),
    ("whole default of a float", "main.lgraph", (("float = 0.0 range", "float = 0 range"),)),
    ("arguments by name", "main.lgraph", (("Grade(0.0, Verdict.reject)", "Grade(verdict = Verdict.reject, score = 0.0)"),)),
    ("short form spelled out", "main.lgraph", (("mutation Grade(score, verdict)", "mutation Grade(score, verdict) "),)),
    # defaults written or not
    ("effect idempotent", "main.lgraph", (("records SetDraft, AddNote\n    ensures", "records SetDraft, AddNote\n    effect idempotent\n    ensures"),)),
    ("join all", "main.lgraph", (("    join all\n", ""),)),
    ("on_error fail", "main.lgraph", (("    on_error fail\n", ""),)),
    ("merge error", "main.lgraph", (("bool = true", "bool = true merge error"),)),
    ("optional none", "main.lgraph", (("draft:    str?", "draft: str? = none"),)),
    ("optional none of a record", "common.lgraph", (("title: str?", "title: str? = none"),)),
    ("approve and reject", "main.lgraph", (("barrier wait {", "barrier wait { decision reject(reason: str) decision approve"),)),
    # how, not what
    ("Python class", "main.lgraph", (("app.models:Model", "app.other:Model2"),)),
    ("opaque's name", "main.lgraph", (("opaque Model =", "opaque Engine ="), ("model: Model", "model: Engine"))),
    ("retry", "main.lgraph", (("retry   3 backoff 1s..30s on \"app.errors:Flaky\"", "retry 5"),)),
    ("retry dropped", "main.lgraph", (("    retry   3 backoff 1s..30s on \"app.errors:Flaky\"\n", ""),)),
    ("task's timeout", "main.lgraph", (("timeout 60s", "timeout 90s"),)),
    ("barrier's timeout", "main.lgraph", (("timeout  2d", "timeout 3d"),)),
    ("params", "main.lgraph", (("temperature = 0.2, ", ""),)),
    ("impl", "main.lgraph", (('    impl    "app.nodes:write"\n', ""),)),
    ("shows", "main.lgraph", (("shows    draft, score", "shows draft"),)),
    ("concurrency", "main.lgraph", (("concurrency 4", "concurrency 8"),)),
    ("checkpoint", "main.lgraph", (("every 1 step  keep 20", "every 2 steps on barrier keep 7d"),)),
    ("operational change of a subgraph", "pages.lgraph", (("get { reads url ", "get { timeout 5s reads url "),)),
]  # fmt: skip

OPERATIONAL: dict[str, set[str]] = {
    "retry": {"node/write"},
    "retry dropped": {"node/write"},
    "task's timeout": {"node/write"},
    "barrier's timeout": {"node/sign_off"},
    "params": {"node/write"},
    "impl": {"node/write"},
    "shows": {"node/sign_off"},
    "concurrency": {"node/gather"},
    "checkpoint": {"graph"},
    "operational change of a subgraph": {"subgraph/fetch"},
}


def differing(old: dict[str, str], new: dict[str, str]) -> set[str]:
    return {id_ for id_ in old.keys() | new.keys() if old.get(id_) != new.get(id_)}


def assert_changed(files: dict[str, str], expected: set[str]) -> None:
    program = compiled(files)
    before, after = (
        dict(canonical.elements(ORIGINAL, WORK)),
        dict(canonical.elements(program, graph(program))),
    )
    assert differing(before, after) == expected
    assert canonical.graph_hash(ORIGINAL, WORK) != canonical.graph_hash(program, graph(program))
    changes = compare(
        *(canonical.canonical_text(*of) for of in ((ORIGINAL, WORK), (program, graph(program))))
    )
    assert {change.element for change in changes} == expected
    assert {change.name for change in changes} <= KINDS.keys() - {"other-changed"}


@pytest.mark.parametrize(("edits", "expected"), [row[1:] for row in COVERED], ids=[row[0] for row in COVERED])
def test_what_is_covered_changes_its_element_only(edits: Edits, expected: set[str]) -> None:
    assert_changed(edited("main.lgraph", edits), expected)


@pytest.mark.parametrize(
    ("name", "edits", "expected"),
    [row[1:] for row in COVERED_ELSEWHERE],
    ids=[row[0] for row in COVERED_ELSEWHERE],
)
def test_what_is_covered_in_another_file(name: str, edits: Edits, expected: set[str]) -> None:
    assert_changed(edited(name, edits), expected)


@pytest.mark.parametrize(("what", "name", "edits"), LEFT_OUT, ids=[row[0] for row in LEFT_OUT])
def test_what_is_left_out_changes_nothing(what: str, name: str, edits: Edits) -> None:
    program = compiled(edited(name, edits))
    assert canonical.canonical_text(program, WORK) == canonical.canonical_text(ORIGINAL, WORK)
    assert canonical.graph_hash(program, WORK) == canonical.graph_hash(ORIGINAL, WORK)
    before, after = (canonical.operational_form(each, WORK)["elements"] for each in (ORIGINAL, program))
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert {
        id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)
    } == OPERATIONAL.get(what, set())
    same = canonical.operational_hash(program, WORK) == canonical.operational_hash(ORIGINAL, WORK)
    assert same == (what not in OPERATIONAL)


def test_where_a_declaration_stands_changes_nothing() -> None:
    union = "union Remark = Note | Link\n"
    main = (
        FILES["main.lgraph"]
        .replace(union, "")
        .replace("import Note, Link, Verdict", "import Note, Verdict, Remark")
    )
    program = compiled({**FILES, "main.lgraph": main, "common.lgraph": FILES["common.lgraph"] + union})
    assert canonical.canonical_text(program, WORK) == canonical.canonical_text(ORIGINAL, WORK)


def test_a_file_s_name_changes_nothing() -> None:
    names = {
        "main.lgraph": "deep/er/start.lgraph",
        "common.lgraph": "deep/er/words.lgraph",
        "pages.lgraph": "deep/p.lgraph",
    }
    moved = {
        names[name]: text.replace(
            '"./common.lgraph"', f'"{"../er" if name == "pages.lgraph" else "."}/words.lgraph"'
        )
        .replace('"./pages.lgraph"', '"../p.lgraph"')
        .replace("deep/deep", "deep")
        for name, text in FILES.items()
    }
    moved["deep/p.lgraph"] = moved["deep/p.lgraph"].replace("../er/words", "./er/words")
    program = compiled(moved)
    key = Key("deep/er/start.lgraph", "work")
    assert canonical.canonical_text(program, key) == canonical.canonical_text(ORIGINAL, WORK)


def test_everything_in_one_file_changes_nothing() -> None:
    bodies = [
        "\n".join(line for line in text.split("\n") if not line.startswith("from "))
        for text in FILES.values()
    ]
    program = compiled({"one.lgraph": "\n".join(bodies)})
    assert canonical.graph_hash(program, Key("one.lgraph", "work")) == canonical.graph_hash(ORIGINAL, WORK)


def test_migrations_are_left_out() -> None:
    block = 'migrate work from "lg1:0000000000000000" { set count = 0 }\n'
    program = compiled({**FILES, "main.lgraph": FILES["main.lgraph"] + block})
    assert canonical.graph_hash(program, WORK) == canonical.graph_hash(ORIGINAL, WORK)


def test_a_subgraph_on_the_same_state() -> None:
    """Its state is the outer one's: what changes there changes the subgraph's hash too."""
    text = (RICH.parent / "same.lgraph").read_text()
    key = Key("same.lgraph", "outer")

    def hashes(text: str) -> dict[str, str]:
        return dict(canonical.elements(compiled({"same.lgraph": text}), key))

    before = hashes(text)
    assert differing(before, hashes(text.replace("sweep {", "sweep { ensures note"))) == {"subgraph/tidy"}
    assert differing(before, hashes(text.replace("= 0", "= 1"))) == {"subgraph/tidy", "state/field/count"}
    assert differing(before, hashes(text.replace("tidy", "neat"))) == {
        "node/clean",
        "subgraph/tidy",
        "subgraph/neat",
    }
