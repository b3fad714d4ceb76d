"""From a template's name and ready-made strings to text: the one door to jinja2.

Templates hold layout only. What is put into them is never read as a template, and a value that is missing
is an error.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("lgc.compiler.codegen"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def render(template: str, **values: object) -> str:
    """The text of a template with values put in, without a final line end."""
    return _environment().get_template(f"{template}.py.jinja").render(values)
