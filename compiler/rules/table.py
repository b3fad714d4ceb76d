"""The table of all rules, by family and by code."""

from __future__ import annotations

from ..rule import Rule
from . import LOOKING, data, migrations, outside, text

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (*LOOKING, *text.RULES, *data.RULES, *migrations.RULES, *outside.RULES), key=lambda rule: rule.code
    )
)
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
