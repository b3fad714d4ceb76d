"""What all tests need: a cache of their own, not that of the person who runs them; a database server."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from tests import postgres_server

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in the background deaf to Ctrl-C, and what the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of its own for this run of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LGC_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="module")
def settled_heap() -> None:
    """What is there when a module begins stays: who collects garbage need not look at it again."""
    gc.freeze()


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres_server.Place]:
    """A PostgreSQL server, and schemas in it for this test alone."""
    base = tmp_path_factory.getbasetemp()
    place = postgres_server.Place(postgres_server.url_of_server(base))
    yield place
    place.remove()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a server where there can be none."""
    need = [item for item in items if _needs_server(item)]
    if need and postgres_server.missing():
        items[:] = [item for item in items if item not in need]
        config.hook.pytest_deselected(items=need)


def _needs_server(item: pytest.Item) -> bool:
    """Whether a test takes the server, or has it for one of its parameters."""
    given = getattr(getattr(item, "callspec", None), "params", {})
    return "postgres" in getattr(item, "fixturenames", ()) or "postgres" in given.values()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    if why := postgres_server.missing():
        terminalreporter.write_line(f"left out: all tests with PostgreSQL; {why}", yellow=True)
