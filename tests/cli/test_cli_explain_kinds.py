"""`lgc explain` for kinds of changes and of reasons."""

import json
from collections.abc import Callable
from typing import Any

from lgc.compiler.rules import BY_CODE
from lgc.runtime.changes.kinds import KINDS as CHANGES
from lgc.runtime.compat.kinds import KINDS as REASONS

Lgc = Callable[..., Any]


def test_a_kind_of_change_is_explained_with_an_example(lgc: Lgc) -> None:
    told = lgc("explain", "Node-Removed").out
    assert "node-removed (the place where a run is parked decides)" in told
    assert "    -  task publish { reads draft!  effect once }\n" in told
    data = json.loads(lgc("explain", "node-removed", "--json").out)
    assert data["name"] == "node-removed"
    assert data["bearing"] == "place"
    assert data["example"]["old"] != data["example"]["new"]


def test_a_kind_of_reason_is_explained(lgc: Lgc) -> None:
    told = " ".join(lgc("explain", "node-gone").out.split())
    assert "breaks the condition on the place where a run is parked" in told
    assert REASONS["node-gone"].why in told
    assert json.loads(lgc("explain", "node-gone", "--json").out)["condition"] == "place"


def test_all_are_listed_behind_the_findings(lgc: Lgc) -> None:
    told = lgc("explain").out
    order = [
        told.index(word) for word in ("LG901", "Changes between", "node-removed", "Reasons", "node-gone")
    ]
    assert order == sorted(order)
    names = [one["name"] for one in json.loads(lgc("explain", "--json").out)]
    assert {*CHANGES, *REASONS} <= {*names}
    assert "Changes" not in lgc("explain", "LG5").out


def test_a_misspelt_kind_is_told(lgc: Lgc) -> None:
    ran = lgc("explain", "node-remove")
    assert ran.status == 2
    assert "did you mean `node-removed`?" in ran.err


def test_no_name_means_two_things() -> None:
    names = [*(rule.name for rule in BY_CODE.values()), *CHANGES, *REASONS]
    assert len({*names}) == len(names)
