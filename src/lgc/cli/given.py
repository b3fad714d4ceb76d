"""From text on the command line to typed values: a run's input, an answer's arguments, mutations."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .terminal import Failure

if TYPE_CHECKING:
    from ..runtime.barriers.barrier import BarrierDecision


# --- the input of a run -----------------------------------------------------------------------------------


def read_input(written: str) -> dict[str, Any]:
    """The JSON object of `--input`: given directly, or with `@FILE`, or `@-` for standard input."""
    if not written:
        return {}
    text, where = written, "--input"
    if written.startswith("@"):
        where = written[1:]
        text = sys.stdin.read() if where == "-" else _file(where)
        where = "standard input" if where == "-" else where
    try:
        value = json.loads(text)
    except RecursionError:
        raise Failure(f"{where} is nested too deeply") from None
    except ValueError as error:
        hint = "give a JSON object, or @FILE" if where == "--input" else ""
        raise Failure(f"{where} is not JSON: {error}", hint) from None
    if not isinstance(value, dict):
        raise Failure(f"{where} must be a JSON object of the state's fields")
    return {str(name): item for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8 text") from None


def state_from(kind: type[Any], values: Mapping[str, Any], transients: Mapping[str, object]) -> Any:
    """A state that a run can start with: the fields given, the others at their defaults.

    Raises:
        Failure: a field is unknown, missing, or has a value of another type.
        TransientMissing: a transient field has no value.
    """
    durable = [name for name in kind.__lg_fields__ if name not in kind.__lg_transients__]
    for name in values:
        if name in kind.__lg_transients__:
            raise Failure(
                f"`{name}` is transient: it cannot be given as JSON",
                "give it by a function `transients()` of the nodes, which returns a dict",
            )
        if name not in durable:
            near = get_close_matches(name, durable, n=1)
            raise Failure(
                f"`{kind.__lg_name__}` has no field `{name}`",
                f"did you mean `{near[0]}`?" if near else f"its fields: {', '.join(durable)}",
            )
    from pydantic import ValidationError

    try:
        checkpoint = kind.__lg_checkpoint__.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise Failure(f"the input does not fit `{kind.__lg_name__}`: {_misfits(error)}") from None
    state = kind.restore(checkpoint, transients)
    for check in kind.__lg_checks__.values():
        broken = check(state)
        if broken is not None:
            raise Failure(f"the input does not fit `{kind.__lg_name__}`: {broken}")
    return state


def _misfits(error: Any) -> str:
    told: list[str] = []
    for one in error.errors(include_url=False, include_context=False)[:5]:
        place = ".".join(str(part) for part in one["loc"])
        told.append(
            f"`{place}` is missing" if one["type"] == "missing" else f"`{place}`: {_lower(str(one['msg']))}"
        )
    return "; ".join(told)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


# --- answers ----------------------------------------------------------------------------------------------


def read_decision(
    node: Any, state: type[Any], answer: str, arguments: Sequence[str], modify: Sequence[str]
) -> BarrierDecision:
    """The decision that the words mean for a barrier of the plan.

    Raises:
        Failure: unknown answer, argument, node or mutation, or a value of another type.
    """
    from ..runtime.barriers.barrier import BarrierDecision

    pairs = dict(_pair(one) for one in arguments)
    if answer == "reroute" and answer not in node.answers:
        target = str(pairs.pop("node", (None, None))[0] or "")
        if not target or pairs:
            raise Failure("`reroute` takes one argument: node=NAME", _names("it may go to", node.reroute))
        decision = BarrierDecision.reroute(target)
    else:
        declared = node.answers.get(answer)
        if declared is None:
            near = get_close_matches(answer, list(node.answers), n=1)
            raise Failure(
                f"`{node.name}` has no decision `{answer}`",
                f"did you mean `{near[0]}`?" if near else _names("it has", node.answers),
            )
        values = _typed(declared.arguments, pairs, f"decision `{answer}`")
        decision = BarrierDecision.answer(answer, **values)
    return decision.with_mutations(*[_mutation(state, one) for one in modify])


def _names(what: str, names: Any) -> str:
    return f"{what}: {', '.join(f'`{name}`' for name in names) or 'none'}"


def _pair(written: str) -> tuple[str, tuple[str, bool]]:
    """`k=v`, or `k:=JSON`: name, text and whether it must be JSON."""
    name, equals, value = written.partition("=")
    if not equals or not name:
        raise Failure(f"`{written}` is not an argument", "arguments are NAME=VALUE, or NAME:=JSON")
    return (name[:-1], (value, True)) if name.endswith(":") else (name, (value, False))


def _typed(model: type[Any], pairs: Mapping[str, tuple[str, bool]], what: str) -> dict[str, Any]:
    """Arguments as values of the model's types, by the names that its constructor takes."""
    known = {info.alias or name: (name, info) for name, info in model.model_fields.items()}
    values: dict[str, Any] = {}
    for name, (text, is_json) in pairs.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else _names("it takes", known)
            raise Failure(f"{what} has no argument `{name}`", hint)
        values[name] = _value(known[name][1], name, text, is_json)
    missing = [name for name, (_, info) in known.items() if name not in values and info.is_required()]
    if missing:
        raise Failure(f"{what} needs {', '.join(f'{name}=...' for name in missing)}")
    return values


def _value(info: Any, name: str, text: str, is_json: bool) -> Any:
    """A text as a value of a field's type: as a string where the type takes one, else as JSON."""
    from pydantic import ValidationError

    from ..runtime.values.state import Answer

    annotation: Any = info.annotation
    holder = type("Holder", (Answer,), {"__annotations__": {"value": annotation}, "__module__": __name__})
    candidates: list[Any] = [] if is_json else [text]
    try:
        candidates.append(json.loads(text))
    except (ValueError, RecursionError):
        if is_json:
            raise Failure(f"`{name}`: {text!r} is not JSON") from None
    problem = ""
    for candidate in candidates:
        try:
            return holder.model_validate_json(json.dumps({"value": candidate})).value  # type: ignore[attr-defined]
        except ValidationError as error:
            problem = _lower(str(error.errors(include_url=False, include_context=False)[0]["msg"]))
    raise Failure(f"`{name}`: {text!r} does not fit: {problem}")


def _mutation(state: type[Any], written: str) -> Any:
    """`NAME`, or `NAME=JSON` with its parameters."""
    from pydantic import ValidationError

    name, _, text = written.partition("=")
    kind = state.__lg_mutations__.get(name)
    if kind is None:
        near = get_close_matches(name, list(state.__lg_mutations__), n=1)
        raise Failure(
            f"no mutation `{name}` in `{state.__lg_name__}`",
            f"did you mean `{near[0]}`?" if near else _names("it has", state.__lg_mutations__),
        )
    try:
        return kind.model_validate_json(text or "{}")
    except ValidationError as error:
        raise Failure(f"`{name}`: {_misfits(error)}") from None


def read_mutations(state: type[Any], written: Sequence[str]) -> list[Any]:
    """Mutations given as `NAME` or `NAME=JSON`. Raises Failure."""
    return [_mutation(state, one) for one in written]
