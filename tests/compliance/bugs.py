"""`python -m tests.compliance.bugs`: mistakes planted in the judge, each of which the search has to find."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from lgc.runtime.compat import history, judge, quick, replaying
from lgc.runtime.compat.carrying import Carrier
from lgc.runtime.compat.joining import Joiner
from lgc.runtime.compat.replaying import Replaying
from lgc.runtime.compat.starting import Starter
from lgc.runtime.compat.stepping import Stepper
from lgc.runtime.compat.unchanged import Unchanged

from .search import searched


def _nothing(*_: object, **__: object) -> None:
    return None


def _true(*_: object) -> bool:
    return True


def _in_a_branch(visit: Any, _: object) -> bool:
    return bool(visit.record.frame)


def _all(trail: Any) -> list[Any]:
    return list(trail.visits)


def _first_only(trail: Any) -> list[Any]:
    return list(trail.visits[:1])


BUGS: dict[str, list[tuple[object, str, Callable[..., Any]]]] = {
    "branches are not looked at": [(replaying, "settled", _in_a_branch)],
    "loops are not erased": [(history, "counted", _all)],
    "only the first step counts": [(history, "counted", _first_only)],
    "routes are not compared": [(Stepper, "_elsewhere", _nothing)],
    "states are not compared": [(Replaying, "_same_state", _true)],
    "starts are not compared": [(Starter, "frame", _nothing), (Starter, "_started_at", _nothing)],
    "joins are not compared": [(Joiner, "_differs", _nothing)],
    "what may be recorded is not looked at": [(Stepper, "_demand", _nothing)],
    "passes are not counted": [(Carrier, "count", _nothing)],
    "limits are not looked at": [(replaying, "look_at_limit", _nothing)],
    "mutations count as the same": [(Unchanged, "mutation", _true)],
    "edges count as the same": [(Unchanged, "edges", _true)],
    "starts count as the same": [(judge, "started_alike", _true)],
    "what is behind counts as the same": [(quick.Surroundings, "behind", _true)],
    "data and place always fit": [(judge, "fits", _true)],
}


@contextmanager
def planted(name: str) -> Generator[None, None, None]:
    """With a mistake in place."""
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in BUGS[name]]
    for owner, attribute, wrong in BUGS[name]:
        setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        for owner, attribute, right in before:
            setattr(owner, attribute, right)


def main() -> int:
    missed = 0
    for name in BUGS:
        with planted(name):
            cases = enumerate(searched(0, 3000), 1)
            found = next((number for number, case in cases if case.problem or case.timid), 0)
        missed += not found
        print(f"{name}: " + (f"found by case {found}" if found else "NOT FOUND"), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
