"""The PostgreSQL server of the tests: the one that LGC_TEST_POSTGRES names, or one that is made for this run.

Where there is neither, the tests that need it are left out, and the last lines say so; with
LGC_DEMAND_POSTGRES set they fail instead.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "postgres"
_numbers = count(1)


@cache
def missing() -> str:
    """Why there can be no server here, "" where there can."""
    if os.environ.get("LGC_TEST_POSTGRES") or os.environ.get("LGC_DEMAND_POSTGRES"):
        return ""
    found = subprocess.run(["bash", str(SCRIPT), "find"], capture_output=True, text=True, check=False)
    return found.stderr.strip() if found.returncode else ""


def url_of_server(temporary: Path) -> str:
    """The URL of the server; the first who asks makes it, for all processes that test together.

    It ends with the process that started the tests.
    """
    given = os.environ.get("LGC_TEST_POSTGRES")
    if given:
        return given
    worker = "PYTEST_XDIST_WORKER" in os.environ
    owner = os.getppid() if worker else os.getpid()
    shared = temporary.parent if worker else temporary
    place = Path("/tmp") / f"lgc-pg-{owner}"
    with (shared / f"postgres-{owner}.lock").open("w+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = shared / f"postgres-{owner}.url"
        if not known.exists():
            made = subprocess.run(
                ["bash", str(SCRIPT), "start", str(place), str(owner)],
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            if made.returncode:
                pytest.fail(f"no PostgreSQL server for the tests: {made.stderr.strip()}", pytrace=False)
            known.write_text(made.stdout.strip(), encoding="utf-8")
        return known.read_text(encoding="utf-8")


class Place:
    """A database server, and schemas in it that nobody else has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._own = f"{os.getpid()}_{next(_numbers)}"
        self._schemas: list[str] = []

    def schema(self) -> str:
        """The name of a schema that is not there yet."""
        self._schemas.append(f"test_{self._own}_{len(self._schemas)}")
        return self._schemas[-1]

    def store(self, schema: str | None = None) -> str:
        """The URL of a new store."""
        return f"{self.url}&schema={schema or self.schema()}"

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection, to look at or to break what stores have written."""
        return psycopg.connect(self.url, autocommit=True)

    def remove(self) -> None:
        """Drop all schemas."""
        with self.connect() as connection:
            for schema in self._schemas:
                connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


class Cluster(Place):
    """A server of its own, which may be stopped, killed and started again."""

    def __init__(self, name: str) -> None:
        self._folder = Path("/tmp") / f"lgc-pg-{os.getpid()}-{name}"
        made = self._script("start", str(self._folder), str(os.getpid()))
        super().__init__(made.strip())

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a crash leaves."""
        self._script("ctl", str(self._folder), "stop", mode)

    def start(self) -> None:
        """Start it again."""
        self._script("ctl", str(self._folder), "start")

    def remove(self) -> None:
        """End it for good."""
        self._script("stop", str(self._folder))

    @property
    def process(self) -> int:
        """The id of the server's first process."""
        return int((self._folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])

    def _script(self, *words: str) -> str:
        done = subprocess.run(
            ["bash", str(SCRIPT), *words], capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode:
            pytest.fail(f"the PostgreSQL server of the tests: {done.stderr.strip()}", pytrace=False)
        return done.stdout
