"""`// lgc: allow`: what it silences, what it does not, and what is said where it cannot be used."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from lgc.compiler import Checked, check
from lgc.compiler.canonical import canonical_text, graph_hash
from lgc.compiler.codegen import generate
from lgc.compiler.migrations.forms import Forms
from lgc.compiler.rule import Rule
from lgc.compiler.rules import RULES
from lgc.dsl.diagnostic import Diagnostic
from lgc.dsl.format import format_file
from lgc.dsl.parse import parse
from lgc.dsl.source import Source

HEAD = "state Job {\n  done: bool = false\n\n  mutation Finish(done)\n}\n\ngraph work(Job) {\n"
TAIL = "  task plan { reads done  records Finish }\n\n  start -> plan -> end\n  lost -> end\n}\n"

NOT_UNDERSTOOD = "this `lgc: allow` comment is not understood"
SHAPE = "write `// lgc: allow CODE reason`"

# What examples of rules import.
COMMON = {"common.lgraph": b"record Note { text: str }\n"}


def checked(text: str, old: str = "") -> Checked:
    """What is known of a text, given the stored forms of an older one."""
    before = check([Source("old.lgraph", old)], load=COMMON.get).program
    forms = Forms(canonical_text(before, key) for key in before.graphs) if old else None
    return check([Source("example.lgraph", text)], load=COMMON.get, forms=forms)


def codes(found: Checked) -> list[str]:
    return [one.code for one in found.diagnostics]


def lost(*lines: str) -> Checked:
    """A graph with an unreachable node, and these lines above it."""
    return checked(HEAD + "".join(f"  {line}\n" for line in lines) + "  task lost\n" + TAIL)


def about(*lines: str) -> Diagnostic:
    """The one finding about a comment above the unreachable node, which stays."""
    first, second = lost(*lines).diagnostics
    assert (first.code, second.code) == ("LG007", "LG303")
    return first


def test_one_finding_is_silenced_and_kept_with_its_reason() -> None:
    found = lost("// lgc: allow LG303 wired in the next release")
    assert codes(found) == []
    assert found.usable
    (silenced,) = found.suppressed
    assert silenced.finding.code == "LG303"
    assert silenced.reason == "wired in the next release"
    assert silenced.place.position.line == 8


@pytest.mark.parametrize(
    "between",
    [
        ("/// Its doc.",),
        ("// A remark.",),
        ("// lgc: allow LG303 the second of two",),
        ("/// Its doc.", "// lgc: allow LG303 the second of two"),
    ],
    ids=lambda lines: lines[0],
)
def test_comments_between_count_through(between: tuple[str, ...]) -> None:
    found = lost("// lgc: allow LG303 not wired yet", *between)
    assert [one.finding.code for one in found.suppressed] == ["LG303"]
    assert codes(found) == (["LG107"] if any("second" in line for line in between) else [])


def test_an_empty_line_ends_it() -> None:
    assert codes(lost("// lgc: allow LG303 too far away", "")) == ["LG107", "LG303"]


def test_two_of_one_code_on_a_line_need_two_comments() -> None:
    nodes = "  task lost  task gone\n"
    one, two = "  // lgc: allow LG303 the first\n", "  // lgc: allow LG303 the second\n"
    tail = TAIL.replace("  lost -> end\n", "  lost -> end\n  gone -> end\n")
    once = checked(HEAD + one + nodes + tail)
    assert codes(once) == ["LG303"]
    assert "gone" in once.diagnostics[0].message
    twice = checked(HEAD + one + two + nodes + tail)
    assert codes(twice) == []
    assert [one.reason for one in twice.suppressed] == ["the first", "the second"]


def test_a_comment_without_use_can_be_taken_out() -> None:
    text = HEAD + "  // lgc: allow LG304 left over\r\n" + TAIL.replace("  lost -> end\n", "")
    (unused,) = checked(text).diagnostics
    assert (unused.code, unused.severity, unused.message) == (
        "LG107",
        "warning",
        "`lgc: allow LG304` silences nothing",
    )
    assert unused.fix is not None
    repaired = text[: unused.fix.span.start] + unused.fix.text + text[unused.fix.span.end :]
    assert repaired == text.replace("  // lgc: allow LG304 left over\r\n", "")


def test_nothing_is_called_unused_while_errors_hide_findings() -> None:
    text = HEAD + "  // lgc: allow LG304 not found for now\n  task lost\n" + TAIL
    assert "LG107" not in codes(checked(text.replace("-> plan", "-> plam")))
    assert "LG107" not in codes(checked(text.replace("start ->", "start - ")))


def test_errors_in_other_files_hide_nothing_here() -> None:
    unused = HEAD + "  // lgc: allow LG304 left over\n" + TAIL.replace("  lost -> end\n", "")
    importing = (
        'from "./a.lgraph" import Job\n\ngraph other(Job) {\n  task plan\n\n  start -> plam -> end\n}\n'
    )

    def found(other: str) -> list[str]:
        sources = [Source("a.lgraph", unused), Source("b.lgraph", other)]
        return [one.code for one in check(sources, load=lambda _: None).diagnostics if one.code == "LG107"]

    assert found("state S { x: Nope }\n") == ["LG107"]
    assert found(importing) == []


@pytest.mark.parametrize(
    ("comment", "message", "help"),
    [
        (
            "// lgc: allow LG303",
            "`lgc: allow LG303` gives no reason",
            "say why in the same comment: `// lgc: allow LG303 REASON`",
        ),
        ("// lgc: allow LG999 x", "no finding has the code `LG999`", ""),
        ("// lgc: allow LG30 x", NOT_UNDERSTOOD, SHAPE),
        ("// lgc: allow", NOT_UNDERSTOOD, SHAPE),
        (
            "// lgc: allow LG303, LG304 x",
            "one `lgc: allow` comment allows one code",
            "write one comment for each code, one above the other",
        ),
        (
            "// lgc: allow LG303 LG304 x",
            "one `lgc: allow` comment allows one code",
            "write one comment for each code, one above the other",
        ),
        (
            "// lgc: allow LG101 x",
            "LG101 (undefined-name) cannot be allowed",
            "repair it; see `lgc explain LG101`",
        ),
        ("// lgc: allow all", NOT_UNDERSTOOD, SHAPE),
        ("// lgc: skip", "`lgc: skip` is not understood", SHAPE),
    ],
)  # fmt: skip
def test_a_comment_that_cannot_be_used(comment: str, message: str, help: str) -> None:
    finding = about(comment)
    assert (finding.message, finding.help, finding.fix) == (message, help, None)


@pytest.mark.parametrize(
    "comment",
    [
        "// lgc:allow LG303 why",
        "// lgc : allow LG303 why",
        "// lgc: allow: LG303 why",
        "// lgc: allow lg303 why",
        "// lgc: allow LG303: why",
        "// lgc: disable lg303 -- why",
        "// lgc: ignore LG303 why",
        "// lgc-disable LG303 why",
        "//// lgc: allow LG303 why",
    ],
)
def test_a_comment_whose_meaning_is_plain_comes_with_the_right_form(comment: str) -> None:
    finding = about(comment)
    assert finding.fix is not None
    assert finding.fix.text == "// lgc: allow LG303 why"
    assert finding.help == "write `// lgc: allow LG303 why`"


@pytest.mark.parametrize(
    "comment",
    [
        "// lgc checks this",
        "// lgc allows nothing here",
        "// see lgc: allow",
        "// algc: allow",
        "// lgcx: allow",
    ],
)
def test_other_comments_are_nothing_special(comment: str) -> None:
    assert codes(lost(comment)) == ["LG303"]


def test_behind_something_is_not_above_it() -> None:
    found = checked(HEAD + "  task lost // lgc: allow LG303 here\n" + TAIL)
    assert codes(found) == ["LG303", "LG007"]
    assert found.diagnostics[1].message == "`lgc: allow LG303` stands behind something"


def test_text_in_strings_allows_nothing() -> None:
    found = checked(HEAD + '  task lost { params { text = """\n// lgc: allow LG999\n""" } }\n' + TAIL)
    assert codes(found) == ["LG303"]


ALLOWABLE = [rule for rule in RULES if rule.allowable and rule.code != "LG107"]


def with_allowance(rule: Rule) -> str:
    """The rule's example with a comment above its finding."""
    (found,) = checked(rule.example, rule.old).diagnostics
    lines = rule.example.split("\n")
    lines.insert(found.place.position.line - 1, f"// lgc: allow {rule.code} for the test")
    return "\n".join(lines)


@pytest.mark.parametrize("rule", ALLOWABLE, ids=lambda rule: rule.code)
def test_whatever_may_be_allowed_leaves_a_graph_that_can_be_used(rule: Rule) -> None:
    allowed = checked(with_allowance(rule), rule.old)
    assert codes(allowed) == []
    assert [one.finding.code for one in allowed.suppressed] == [rule.code]
    assert allowed.usable
    for key in allowed.program.graphs:
        assert graph_hash(allowed.program, key).full.startswith("lg1:")
    module = ModuleType(f"allowed_{rule.code}_lg")
    (written,) = (one for one in allowed.program.modules if one.path == "example.lgraph")
    sys.modules[module.__name__] = module
    text = generate(allowed.program, written, version="0")
    exec(compile(text, "allowed_lg.py", "exec"), module.__dict__)  # noqa: S102 - our own output
    del sys.modules[module.__name__]


@pytest.mark.parametrize("rule", ALLOWABLE, ids=lambda rule: rule.code)
def test_the_formatter_keeps_the_comment_above_what_it_allows(rule: Rule) -> None:
    laid_out = format_file(parse(Source("example.lgraph", with_allowance(rule))).file)
    assert codes(checked(laid_out, rule.old)) == []


def test_what_only_some_checks_look_for_may_be_allowed_in_all() -> None:
    rule = next(rule for rule in RULES if rule.code == "LG709")
    assert codes(checked(with_allowance(rule))) == []


def test_errors_without_whose_repair_nothing_is_clear_cannot_be_allowed() -> None:
    refused = {rule.code for rule in RULES if not rule.allowable}
    assert {code for code in refused if code < "LG3"} >= {"LG001", "LG007", "LG101", "LG201", "LG208"}
    assert {"LG301", "LG306", "LG307", "LG311", "LG403", "LG404", "LG508", "LG801", "LG901"} <= refused
    assert not {rule.code for rule in RULES if rule.severity == "warning"} & refused


LONG = "a_field_with_a_very_long_name_indeed"


@pytest.mark.parametrize(
    "node",
    [
        f"task lost {{ reads {LONG}, done, {LONG}_too  records Finish, Finish2, Finish3, Finish4 }}",
        f"task lost {{ reads done  records Finish  timeout 5s  retry 3  effect pure  goto {LONG} }}",
        f"plan -> lost when {LONG} == {LONG}_too and done and {LONG} == {LONG}_too or {LONG}_too",
        "task lost { reads done,\n    done2  records Finish }",
    ],
)
def test_the_formatter_leaves_on_its_line_what_a_comment_is_about(node: str) -> None:
    """What stands on the item's first line must not move down."""
    text = HEAD + f"  // lgc: allow LG303 for now\n  /// Doc.\n  {node}\n" + TAIL
    once = format_file(parse(Source("a", text)).file)
    assert format_file(parse(Source("a", once)).file) == once
    line = once.split("/// Doc.\n")[1].split("\n")[0]
    first = "".join(node.split("\n")[0].split())
    assert "".join(line.split()).startswith(first)
