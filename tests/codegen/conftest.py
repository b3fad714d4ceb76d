"""Shared by the tests of generated code: the corpus, built once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lgc.compiler import Checked, check
from lgc.compiler.codegen import build
from lgc.dsl.source import Source

CORPUS = Path(__file__).parents[1] / "corpus" / "build"
MODELS = '''"""What the corpus names in Python."""

from typing import Any


class Model:
    def complete(self, prompt: str) -> str:
        return prompt


class Client:
    pass


class Outer:
    class Client:
        pass


def compute(state: Any, mutation: Any) -> dict[str, Any]:
    return {"n": mutation.seed}
'''


def compiled(root: Path, *names: str) -> Checked:
    """The files of a folder (all, or some), checked."""
    paths = names or tuple(sorted(str(p.relative_to(root)) for p in root.rglob("*.lgraph")))
    sources = [Source(path, (root / path).read_text(encoding="utf-8")) for path in paths]

    def load(path: str) -> bytes | None:
        return (root / path).read_bytes() if (root / path).exists() else None

    return check(sources, load=load)


def write(files: dict[str, str], out: Path) -> None:
    """Write generated files."""
    for path, text in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text, encoding="utf-8")


@pytest.fixture(name="compiled", scope="session")
def compiled_fixture() -> Callable[..., Checked]:
    """The files of a folder, checked."""
    return compiled


@pytest.fixture(scope="session")
def corpus() -> Checked:
    """The corpus, which has no errors."""
    checked = compiled(CORPUS)
    assert checked.usable, [str(d) for d in checked.diagnostics]
    return checked


@pytest.fixture(scope="session")
def built(corpus: Checked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the modules of the corpus, importing each other absolutely."""
    out = tmp_path_factory.mktemp("built")
    write(dict(build(corpus.program, version="0.1.0")), out)
    (out / "app").mkdir()
    (out / "app" / "__init__.py").write_text("")
    (out / "app" / "models.py").write_text(MODELS)
    return out


@pytest.fixture(scope="session")
def load(corpus: Checked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the corpus, by the name of its source; they lie in a package of their own."""
    root = tmp_path_factory.mktemp("package")
    package = root / "generated_corpus"
    write(dict(build(corpus.program, version="0.1.0", package_relative=True)), package)
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    sys.path.insert(0, str(root))
    yield lambda name: importlib.import_module(f"generated_corpus.{name}_lg")
    sys.path.remove(str(root))


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModuleType]:
    """Builds and runs a module from the text of one source."""

    def made(text: str) -> ModuleType:
        checked = check([Source("given.lgraph", text)], load=lambda _: None)
        assert checked.usable, [f"{d.code} {d.message} {d.place}" for d in checked.diagnostics]
        (module,) = checked.program.modules
        from lgc.compiler.codegen import generate

        name = f"made_{len(sys.modules)}_{abs(hash(text))}"
        loaded = ModuleType(name)
        sys.modules[name] = loaded
        exec(compile(generate(checked.program, module, version="0"), f"{name}.py", "exec"), loaded.__dict__)  # noqa: S102
        return loaded

    return made
