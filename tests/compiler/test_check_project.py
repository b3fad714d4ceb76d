"""Checking over several files: what is loaded, what is reported once, what an import may reach."""

from __future__ import annotations

from lgc.compiler import Checked, check
from lgc.compiler.model import Key
from lgc.dsl.paths import inside
from lgc.dsl.source import Source

JOB = "state Job { done: bool }\n"
WORK = "graph work(Job) {\n  task a { reads * }\n  start -> a -> end\n}\n"
JOB_OF_BOTH = "state Job { b: B  c: C }\n"


class Files:
    """Files in memory that remember what was asked for."""

    def __init__(self, **files: str) -> None:
        self.files = {name.replace("__", "/") + ".lgraph": text for name, text in files.items()}
        self.loaded: list[str] = []

    def load(self, path: str) -> bytes | None:
        self.loaded.append(path)
        text = self.files.get(path)
        return None if text is None else text.encode()

    def check(self, *paths: str, root: str | None = ".") -> Checked:
        return check([Source(p, self.files[p]) for p in paths], load=self.load, root=root)


def codes(checked: Checked) -> list[str]:
    """Path and code of each finding."""
    return [f"{d.place.source.path} {d.code}" for d in checked.diagnostics]


def test_a_file_is_loaded_once_and_its_findings_told_once() -> None:
    files = Files(
        a='from "./sub/c.lgraph" import C\nfrom "./b.lgraph" import B\n' + JOB_OF_BOTH + WORK,
        b='from "./sub/../sub/c.lgraph" import C\nrecord B { c: C? }\n',
        sub__c="record C { n: itn }\n",
    )
    checked = files.check("a.lgraph", "b.lgraph")
    assert files.loaded == ["sub/c.lgraph"]
    assert codes(checked) == ["sub/c.lgraph LG101"]
    assert [module.path for module in checked.program.modules] == ["a.lgraph", "b.lgraph", "sub/c.lgraph"]
    assert len(checked.files) == 3


def test_the_same_file_given_under_two_names() -> None:
    files = Files(a=JOB + WORK)
    source = files.files["a.lgraph"]
    checked = check([Source("a.lgraph", source), Source("./a.lgraph", source)], load=files.load)
    assert checked.usable
    assert list(checked.program.graphs) == [Key("a.lgraph", "work")]


def test_names_from_another_file_are_the_same_declarations() -> None:
    files = Files(a='from "./b.lgraph" import Note, Job\n' + WORK, b="record Note { t: str }\n" + JOB)
    checked = files.check("a.lgraph")
    assert checked.usable
    assert checked.program.graphs[Key("a.lgraph", "work")].state == Key("b.lgraph", "Job")
    assert checked.program.modules[0].imports == (Key("b.lgraph", "Note"), Key("b.lgraph", "Job"))


def test_imports_stay_inside_the_root() -> None:
    files = Files(
        p__a='from "../b.lgraph" import Job\n' + WORK,
        b=JOB,
        p__q__c='from "../d.lgraph" import Job\n' + WORK,
        p__d=JOB,
    )
    assert codes(files.check("p/a.lgraph", root="p")) == ["p/a.lgraph LG104"]
    assert files.loaded == []
    assert codes(files.check("p/a.lgraph", root=".")) == []
    assert codes(files.check("p/a.lgraph", root=None)) == []
    assert codes(files.check("p/q/c.lgraph", root="p")) == []
    assert codes(files.check("p/q/c.lgraph", root="p/q")) == ["p/q/c.lgraph LG104"]


def test_where_the_root_is() -> None:
    for path, root in [
        ("a", "."),
        ("a", ".."),
        ("../a", ".."),
        ("../p/a", "../p"),
        ("p/q/a", "p"),
        ("/p/a", "/p"),
        ("/a", "/"),
        ("a", "./"),
    ]:
        assert inside(path, root), (path, root)
    for path, root in [
        ("../a", "."),
        ("../../a", ".."),
        ("a", "../p"),
        ("../pq/a", "../p"),
        ("pq/a", "p"),
        ("a", "p"),
        ("/pq/a", "/p"),
        ("/a", "p"),
    ]:
        assert not inside(path, root), (path, root)


def test_an_imported_file_that_cannot_be_read_is_one_finding() -> None:
    def load(path: str) -> bytes | None:
        return b"record Note { text: str }\xff"

    source = Source("a.lgraph", 'from "./b.lgraph" import Note, Job, X\n' + WORK)
    checked = check([source], load=load)
    assert codes(checked) == ["b.lgraph LG001"]


def test_a_cycle_is_told_once_with_its_path() -> None:
    files = Files(
        a='from "./b.lgraph" import B\nrecord A { b: B? }\n',
        b='from "./c.lgraph" import C\nrecord B { c: C? }\n',
        c='from "./a.lgraph" import A\nrecord C { a: A? }\n',
    )
    for paths in (["a.lgraph"], ["a.lgraph", "b.lgraph", "c.lgraph"]):
        (finding,) = files.check(*paths).diagnostics
        assert finding.code == "LG105"
        assert finding.message == "import cycle: a.lgraph -> b.lgraph -> c.lgraph -> a.lgraph"
        assert len(finding.related) == 2


def test_a_thousand_imports_are_enough() -> None:
    def load(path: str) -> bytes | None:
        return b"record R { n: int }"

    text = "\n".join(f'from "./f{n}.lgraph" import R' for n in range(1_002))
    checked = check([Source("a.lgraph", text)], load=load)
    assert [d.code for d in checked.diagnostics if d.code != "LG102"] == ["LG006"]


def test_a_chain_of_many_files() -> None:
    def load(path: str) -> bytes | None:
        n = int(path.removeprefix("f").removesuffix(".lgraph"))
        return f'from "./f{n + 1}.lgraph" import R{n + 1}\nrecord R{n} {{ n: R{n + 1}? }}'.encode()

    last = b"record R900 { n: int }"
    source = Source(
        "a.lgraph", 'from "./f1.lgraph" import R1\nstate S { r: R1 }\n' + WORK.replace("Job", "S")
    )
    checked = check([source], load=lambda path: last if path == "f900.lgraph" else load(path))
    assert codes(checked) == []
    assert len(checked.files) == 901
