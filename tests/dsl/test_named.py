"""Named tuples of our own: as `typing.NamedTuple` makes them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from lgc.dsl.named import NamedTuple


class Pair(NamedTuple):
    """Two things."""

    left: int
    right: str = "r"

    @property
    def both(self) -> str:
        return f"{self.left}{self.right}"


@pytest.mark.parametrize("turn", range(12))  # the constructor is another one after some calls
def test_it_is_made_and_taken_apart_like_a_tuple(turn: int) -> None:
    pair = Pair(turn)
    assert pair == (turn, "r") == Pair(left=turn) == Pair(turn, right="r")
    assert (pair.left, pair.right, pair.both) == (turn, "r", f"{turn}r")
    left, right = pair
    match pair:
        case Pair(a, b):
            assert (a, b) == (left, right)
    assert hash(pair) == hash((turn, "r"))
    assert repr(pair) == f"Pair(left={turn}, right='r')"


def test_it_is_copied_and_changed_by_name() -> None:
    pair = Pair(1, "x")
    assert pair._replace(left=2) == Pair(2, "x")
    for same in (copy.copy(pair), copy.deepcopy(pair), pickle.loads(pickle.dumps(pair))):  # noqa: S301
        assert type(same) is Pair
        assert same == pair
    with pytest.raises(ValueError, match="middle"):
        pair._replace(middle=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("turn", range(12))
def test_wrong_arguments_are_refused(turn: int) -> None:
    anything: Any = Pair
    for arguments, named in (((), {}), ((1, 2, 3), {}), ((1,), {"left": 1}), ((1,), {"up": 1})):
        with pytest.raises(TypeError):
            anything(*arguments, **named)


def test_nothing_can_be_assigned() -> None:
    pair: Any = Pair(1)
    with pytest.raises(AttributeError):
        pair.left = 2
    with pytest.raises(AttributeError):
        pair.more = 2
