"""What tests of the compiler share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

Effort = Callable[[Callable[[], object]], int]


@pytest.fixture
def effort() -> Effort:
    """How many functions are called while something is done: work, as no busy machine disturbs it."""

    def count(work: Callable[[], object]) -> int:
        calls = 0

        def called(frame: FrameType, event: str, arg: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            work()
        finally:
            sys.setprofile(before)
        return calls

    return count
