"""From a `pattern` and a text to whether it is found there, without waiting for those that search for ever.

Python's `re` goes back over a repeated group in every way that there is, so that `(a+)+$` takes twice as long
for every further character. A check must end: such a pattern is tried on short texts only.
"""

from __future__ import annotations

import re
import warnings

LONGEST = 20
"""Characters of a text on which a pattern with a repeated group is tried: at most some 2 ** 20 ways."""


def found(pattern: str, text: str) -> bool | None:
    """Whether a pattern is found somewhere in a text; None where finding out could take too long."""
    if len(text) > LONGEST and re.search(r"\)[*+{]", pattern):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd but valid patterns; they were said when it was declared
        return re.search(pattern, text) is not None
