"""Rules LG501-LG503: what is known of fields along the ways of a graph."""

from __future__ import annotations

from . import presence, races

RULES = (*presence.RULES, *races.RULES)
