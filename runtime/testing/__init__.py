"""The public conformance suite for stores: every promise of `lgc.runtime.store.protocols`, tried.

With pytest:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_my_store(check: Check, tmp_path: Path) -> None:
        asyncio.run(check(Subject(make=lambda: MyStore(...))))

or all at once: `await conformance(lambda: MyStore(...))`.
"""

from __future__ import annotations

from collections.abc import Callable

from ..store.protocols import Store
from .bulk_checks import checks as _bulk
from .checkpoint_checks import checks as _checkpoints
from .log_checks import checks as _log
from .run_checks import checks as _runs
from .subject import Check, Place, Subject
from .upkeep_checks import checks as _upkeep
from .value_checks import checks as _values

__all__ = ["CHECKS", "Check", "Place", "Subject", "conformance"]

CHECKS: tuple[Check, ...] = (*_log.all, *_checkpoints.all, *_runs.all, *_upkeep.all, *_values.all, *_bulk.all)


async def conformance(
    make_store: Callable[[], Store],
    *,
    reopen: Callable[[Store], Store] | None = None,
    damage: Callable[[Store, Place, str, int], None] | None = None,
) -> None:
    """Try every promise that applies (see `Subject` for the arguments).

    Raises AssertionError that names each broken promise.
    """
    subject = Subject(make_store, reopen, damage)
    broken: list[str] = []
    for check in CHECKS:
        if check.applies(subject):
            try:
                await check(subject)
            except Exception as error:
                broken.append(f"{check.name}: {type(error).__name__}: {error}")
    if broken:
        raise AssertionError("the store breaks its promises:\n" + "\n".join(broken))
