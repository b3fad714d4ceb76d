"""One kind of change as a record, and the small sources that its example is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Bearing: TypeAlias = Literal["never", "values", "place", "history", "always"]

BEARINGS: dict[Bearing, str] = {
    "never": "no run notices it",
    "values": "the values of a run decide",
    "place": "the place where a run is parked decides",
    "history": "what a run did before decides",
    "always": "every parked run needs a migration",
}
"""How a change bears on a run that is parked, for people. The verdict for a run or a graph looks closer than
its kind: a change that `history` decides bears on no run that cannot have come past it."""

ARTICLE = """\
enum Verdict { accept, revise }

record Note { author: str  text: str }
record Link { url: str }
union Remark = Note | Link

state Article {
  draft:   str?
  score:   float = 0.0 range 0.0..1.0
  count:   int = 0
  remarks: list[Remark] = []
  verdict: Verdict?

  mutation SetDraft(text: str) { draft = text  count += 1 }
  mutation Remember(remark: Remark) { remarks += [remark] }
  mutation Grade(score, verdict)
}

graph article(Article) {
  task write { reads draft  records SetDraft  ensures draft }
  task grade { reads draft!  records Grade  goto write }
  barrier sign_off {
    timeout  2d
    decision approve
    decision reject(reason: str) records Remember(Note(author = "editor", text = reason))
    modify   SetDraft
    reroute  grade
  }
  task publish { reads draft!  effect once }

  start -> write -> grade
  grade -> sign_off when verdict == Verdict.accept
  grade -> write    when score < 0.5 max_visits 3
  grade -> end      else
  sign_off -> publish on approve
  sign_off -> write   on reject
  sign_off -> end     on timeout
  publish -> end
  max_steps 200
}
"""

CHECK = """\
state Check {
  topic: str
  notes: list[str] = []
  hits:  int = 0

  mutation Note(line: str) { notes += [line] }
  mutation Hit() { hits += 1 }
}

graph check(Check) {
  parallel look {
    branch facts = facts
    branch style = style
  }
  task facts { reads topic  records Note }
  task style { reads topic  records Note }
  task report { reads topic, notes, hits  records Hit }

  start -> look -> report -> end
  look -> end on error
}
"""

GATHER = """\
state Page {
  url:  str
  text: str?

  mutation SetText(text)
}

graph fetch(Page) {
  task load { reads url  records SetText }
  start -> load -> end
}

state Work {
  topic: str
  page:  Page
  urls:  list[str] = []
  texts: list[str] = []

  mutation Keep(line: str) { texts += [line] }
}

graph work(Work) {
  subgraph first = fetch { in url = topic  out Keep(text ?? "")  max_steps 20 }
  map rest = fetch { over urls as link  in url = link  out Keep(text ?? "") }
  task report { reads texts, page }

  start -> first -> rest -> report -> end
}
"""


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """One kind of change.

    Attributes:
        id: name with hyphens, permanent (`node-removed`).
        title: what happened, in one line.
        what: what it is.
        bearing: how it bears on a run that is parked; see `BEARINGS`.
        why: why that is so: what would go wrong.
        base: source before; a text that begins with `{` is a canonical form.
        edits: what to replace in it, in order, to get the source after.
    """

    id: str
    title: str
    what: str
    bearing: Bearing
    why: str
    base: str
    edits: tuple[tuple[str, str], ...]

    @property
    def old(self) -> str:
        """The source of the example before the change."""
        return self.base

    @property
    def new(self) -> str:
        """The source of the example after the change."""
        text = self.base
        for old, new in self.edits:
            if old not in text:
                raise ValueError(f"the example of {self.id} has no {old!r}")
            text = text.replace(old, new, 1)
        return text
