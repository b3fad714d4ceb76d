"""From clauses, edges and the lines of scenarios and migrations to parts: words, spacing, break marks.

Every function returns the words in the order in which they were written; nothing here knows of lines or
comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import ast
from .expression_parts import Parts, expression, type_text
from .layout import BREAK, CLOSE, COMMA, GAP, LIST, SPACED_CLOSE, SPACED_LIST

# --- lists of words -------------------------------------------------------------------------------------


def words(texts: Iterable[str]) -> Parts:
    """Words with commas, as many on a line as fit."""
    return phrases([text] for text in texts)


def names(items: Iterable[ast.Name]) -> Parts:
    """Names with commas, as many on a line as fit."""
    return words([name.text for name in items])


def phrases(items: Iterable[Parts]) -> Parts:
    """Longer pieces with commas, as many on a line as fit."""
    out: Parts = []
    for item in items:
        if out:
            out += (",", BREAK)
        out += item
    return out


def braced(items: Sequence[Parts], comma: bool) -> Parts:
    """``{ a, b }``, or without commas ``{ a  b }``; one item a line where it does not fit."""
    if not items:
        return ["{}"]
    out: Parts = ["{", SPACED_LIST]
    for number, item in enumerate(items):
        if number:
            out += (",", BREAK) if comma else (GAP,)
        out += item
    out += (COMMA, SPACED_CLOSE, "}") if comma else (SPACED_CLOSE, "}")
    return out


def parameters(params: Sequence[ast.Param]) -> Parts:
    """``(a: str, b: int)``, or without types for the short form of a mutation."""
    if not params:
        return ["()"]
    out: Parts = ["(", LIST]
    for number, param in enumerate(params):
        if number:
            out += (",", BREAK)
        out.append(param.name.text if param.type is None else f"{param.name.text}: {type_text(param.type)}")
    out += (COMMA, CLOSE, ")")
    return out


def mutation_call(call: ast.MutationCall) -> Parts:
    """``M(args)``, or bare ``M``."""
    if not call.args:
        return [call.name.text]
    out: Parts = [call.name.text, "(", LIST]
    for number, arg in enumerate(call.args):
        if number:
            out += (",", BREAK)
        if arg.name is not None:
            out.append(arg.name.text + " = ")
        out += expression(arg.value)
    out += (COMMA, CLOSE, ")")
    return out


def mutation_calls(calls: Sequence[ast.MutationCall]) -> Parts:
    """``M(args), N``."""
    return phrases([mutation_call(call) for call in calls])


def settings(pairs: Sequence[tuple[ast.Name, ast.Expr]], sign: str) -> list[Parts]:
    """``k = e`` for each pair, with ``sign`` between."""
    return [[name.text + sign, *expression(value)] for name, value in pairs]


# --- fields and statements ------------------------------------------------------------------------------


def field_rest(field: ast.Field | ast.RecordField) -> Parts:
    """What stands behind the colon of a field."""
    out: Parts = [type_text(field.type)]
    if field.default is not None:
        out.append(" = ")
        out += expression(field.default)
    if isinstance(field, ast.Field):
        for constraint in field.constraints:
            out.append(GAP)
            out += _constraint(constraint)
        if field.merge is not None:
            out += (GAP, "merge ", field.merge.rule.text)
            if field.merge.target is not None:
                out += (" ", field.merge.target.text)
    return out


def _constraint(constraint: ast.Constraint) -> Parts:
    match constraint:
        case ast.PatternConstraint(pattern=pattern):
            return ["pattern ", pattern.text]
        case ast.RangeConstraint(low=low, high=high):
            word = "range "
        case ast.LengthConstraint(low=low, high=high):
            word = "length "
    return [word, *(expression(low) if low else ()), "..", *(expression(high) if high else ())]


def statement(item: ast.Statement) -> Parts:
    """One statement of a mutation's body."""
    match item:
        case ast.Assign(target=target, op=op, value=value):
            return [*expression(target), f" {op} ", *expression(value)]
        case ast.Delete(target=target):
            return ["del ", *expression(target)]


# --- clauses --------------------------------------------------------------------------------------------


def clause(item: ast.Clause | ast.CheckpointRule) -> tuple[str, Parts]:
    """The keyword of a clause or checkpoint rule, and what stands behind it.

    Of a branch with braces only the name: its edges are printed as a block.
    """
    match item:
        case ast.ReadsClause(fields=fields):
            return "reads", words([read.name.text + ("!" if read.required else "") for read in fields])
        case ast.RecordsClause(mutations=mutations):
            return "records", names(mutations)
        case ast.EnsuresClause(fields=fields):
            return "ensures", names(fields)
        case ast.GotoClause(targets=targets):
            return "goto", names(targets)
        case ast.TimeoutClause(duration=duration, decides=decides):
            return "timeout", [duration.text, *((" decides ", *mutation_call(decides)) if decides else ())]
        case ast.EffectClause(kind=kind) | ast.OnErrorClause(kind=kind):
            return "effect" if isinstance(item, ast.EffectClause) else "on_error", [kind.text]
        case ast.RetryClause():
            return "retry", _retry(item)
        case ast.ParamsClause(params=params):
            return "params", braced(settings(params, " = "), comma=True)
        case ast.ImplClause(target=target):
            return "impl", [target.text]
        case ast.ShowsClause(fields=fields):
            return "shows", names(fields)
        case ast.DecisionClause(name=name, params=params, records=records):
            behind = (" records ", *mutation_calls(records)) if records else ()
            return "decision", [name.text, *(parameters(params) if params else ()), *behind]
        case ast.ModifyClause(mutations=mutations):
            return "modify", names(mutations)
        case ast.RerouteClause(targets=targets):
            return "reroute", names(targets)
        case ast.BranchClause(name=name, single=single):
            return "branch", [name.text if single is None else f"{name.text} = {single.text}"]
        case ast.JoinClause(kind=kind, count=count):
            return "join", [kind.text, *((" ", *expression(count)) if count else ())]
        case ast.LensClause(field=field):
            return "on", [field.text]
        case ast.InClause(values=values):
            return "in", phrases(settings(values, " = "))
        case ast.OutClause(mutations=mutations):
            return "out", mutation_calls(mutations)
        case ast.MaxStepsClause(count=count):
            return "max_steps", expression(count)
        case ast.OverClause(value=value, item=name):
            return "over", [*expression(value), " as ", name.text]
        case ast.ConcurrencyClause(count=count):
            return "concurrency", expression(count)
        case _:
            return _rule(item)


def _rule(rule: ast.CheckpointRule) -> tuple[str, Parts]:
    match rule:
        case ast.EveryRule(count=count, duration=duration):
            return "every", [duration.text] if duration else _steps(count)
        case ast.OnEventsRule(events=events):
            return "on", names(events)
        case ast.AdaptiveRule(weights=weights):
            return "adaptive", braced(settings(weights, " "), comma=False)
        case ast.ManualRule():
            return "manual", []
        case ast.KeepRule(count=count, duration=duration):
            return "keep", [duration.text] if duration else expression(count) if count else ["all"]
        case ast.CompactRule(count=count):
            return "compact", _steps(count) if count else ["auto"]


def _steps(count: ast.Expr | None) -> Parts:
    """A number of steps; `1 step`, else `steps`."""
    assert count is not None
    one = isinstance(count, ast.IntLit) and count.value == 1
    return [*expression(count), " step" if one else " steps"]


def _retry(item: ast.RetryClause) -> Parts:
    out = expression(item.attempts)
    if item.backoff_low is not None:
        high = item.backoff_high.text if item.backoff_high else ""
        out += (BREAK, f"backoff {item.backoff_low.text}..{high}")
    if item.errors:
        out += (BREAK, "on ", *words([text.text for text in item.errors]))
    return out


# --- edges, scenarios, migrations -----------------------------------------------------------------------


def chain(item: ast.Chain) -> tuple[str, Parts]:
    """An edge with its trigger as two columns; a longer chain without trigger in one, which may break."""
    behind: Parts = []
    match item.trigger:
        case ast.WhenTrigger(guard=guard):
            behind = ["when ", *expression(guard)]
        case ast.ElseTrigger():
            behind = ["else"]
        case ast.OnTrigger(outcome=outcome):
            behind = ["on " + outcome.text]
        case None:
            pass
    if item.max_visits is not None:
        behind += (" " if behind else "", "max_visits ", *expression(item.max_visits))
    if behind and len(item.names) == 2:
        return f"{item.names[0].text} -> {item.names[1].text}", behind
    arrows: Parts = [item.names[0].text]
    for name in item.names[1:]:
        arrows += (BREAK, "-> " + name.text)
    return "", [*arrows, *((" ", *behind) if behind else ())]


def act(item: ast.Act) -> Parts:
    """What one visit does."""
    match item:
        case ast.RecordsAct(mutations=mutations):
            return ["records ", *mutation_calls(mutations)]
        case ast.FailsAct(message=message):
            return ["fails ", message.text]
        case ast.TimesOutAct():
            return ["times out"]
        case ast.GoesToAct(target=target):
            return ["goes to ", target.text]
        case ast.DecidesAct(modifies=modifies, decision=decision):
            return [*_modifies(modifies), "decides ", *mutation_call(decision)]
        case ast.ReroutesAct(modifies=modifies, target=target):
            return [*_modifies(modifies), "reroutes ", target.text]


def _modifies(calls: Sequence[ast.MutationCall]) -> Parts:
    return ["modifies ", *mutation_calls(calls), " "] if calls else []


def scenario_item(item: ast.ScenarioItem) -> tuple[str, Parts]:
    """A line of a scenario: the node's name and what its visit does, or all in the second column."""
    match item:
        case ast.Given(values=values):
            return "", ["given ", *braced(settings(values, " = "), comma=True)]
        case ast.Visit(name=name, acts=acts):
            out: Parts = []
            for one in acts:
                out += (*((BREAK,) if out else ()), *act(one))
            return name.text, out
        case ast.ExpectPath(frame=frame, names=path):
            place = "/".join(name.text for name in frame)
            return "", [f"expect path {place}: " if place else "expect path ", *names(path)]
        case ast.ExpectThat(condition=condition):
            return "", ["expect ", *expression(condition)]
        case ast.ExpectEnd(name=name):
            return "", ["expect ends at ", name.text]
        case ast.ExpectFailure(text=text):
            return "", ["expect fails ", text.text]


def migrate_item(item: ast.MigrateItem) -> Parts:
    """A line of a migration."""
    match item:
        case ast.Rename(what=what, old=old, new=new):
            return [f"rename {what.text} {old.text} to {new.text}"]
        case ast.SetField(field=field, value=value):
            return [f"set {field.text} = ", *expression(value)]
        case ast.DropField(field=field):
            return [f"drop field {field.text}"]
        case ast.Move(old=old, new=new):
            return [f"move {old.text} to {new.text}"]
