"""`lgc init`: from an empty folder to a small project that checks, builds, runs and tests."""

from __future__ import annotations

from pathlib import Path

import click

from . import FINE
from .terminal import Failure, counted, note, out, output_style

GRAPH = """\
/// What the letter workflow knows.
state Letter {
  name:    str  length 1..  // no default: given when a run starts
  text:    str?             // none until `write` has run
  drafts:  int = 0
  remarks: list[str] = []

  mutation SetText(draft: str) { text = draft  drafts += 1 }
  mutation Remark(remark: str) { remarks += [remark] }
}

/// Write a letter, have it read by a person, then send it.
graph letter(Letter) {
  task write { reads name, remarks  records SetText  ensures text }

  barrier reading {
    shows    text, drafts
    timeout  7d
    decision approve
    decision change(remark: str) records Remark(remark)
  }

  task send { reads name, text!  effect once }

  start -> write -> reading
  reading -> send  on approve
  reading -> write on change max_visits 5
  reading -> end   on change
  reading -> end   on timeout
  send -> end
}

scenario "changed once, then sent" for letter {
  given { name = "Ada" }
  write   records SetText("Dear Ada")
  reading decides change("warmer")
  write   records SetText("Dearest Ada")
  reading decides approve
  expect path write, reading, write, reading, send
  expect drafts == 2 and text == "Dearest Ada"
}

scenario "nobody reads it" for letter {
  given { name = "Ada" }
  write   records SetText("Dear Ada")
  reading times out
  expect ends at reading
}
"""

NODES = '''\
"""The tasks of letter.lgraph. Their types come from letter_lg.py, which `lgc build` writes."""

from letter_lg import SendContext, SetText, WriteContext


class Nodes:
    """One method for each task; a plain `def` runs in a worker thread, an `async def` in the event loop."""

    async def write(self, ctx: WriteContext, /) -> None:
        greeting = "Dearest" if ctx.state.remarks else "Dear"
        ctx.emit(f"writing to {ctx.state.name}\\n")
        ctx.record(SetText(draft=f"{greeting} {ctx.state.name}, thank you for your letter."))

    async def send(self, ctx: SendContext, /) -> None:
        ctx.emit(f"sent: {ctx.state.text}\\n")
'''

SETTINGS = """\
# Settings of lgc. Paths are relative to this file.
source = ["."]           # what `lgc check`, `fmt`, `build` and `test` look at
out = "."                # where `lgc build` writes
nodes = "nodes:Nodes"    # the tasks' functions
store = "runs.db"        # where runs are kept
"""

IGNORED = """\
__pycache__/
runs.db*
"""

FILES = {"letter.lgraph": GRAPH, "nodes.py": NODES, "lgc.toml": SETTINGS, ".gitignore": IGNORED}

NEXT = (
    ("lgc check", "look for mistakes"),
    ("lgc test", "run the scenarios"),
    ("lgc build", "write letter_lg.py, for editors and type checkers"),
    ("""lgc run letter.lgraph --input '{"name": "Ada"}'""", "run it, up to the reader"),
)


WORKFLOW = ".github/workflows/lgc.yml"


@click.command("init")
@click.argument("folder", default=".", metavar="[DIR]")
@click.option("--ci", is_flag=True, help=f"Write a workflow for GitHub Actions instead: {WORKFLOW}.")
def init_command(folder: str, ci: bool) -> int:
    """Make a small project that checks, builds, runs and has a passing scenario.

    Files that are there already are never overwritten.
    """
    root = Path(folder)
    if ci:
        return _workflow(root)
    there = [name for name in FILES if (root / name).exists() and name != ".gitignore"]
    if root.exists() and not root.is_dir():
        raise Failure(f"{folder} is not a folder")
    if there:
        raise Failure(f"{root / there[0]} is there already", "choose another folder: lgc init DIR")
    root.mkdir(parents=True, exist_ok=True)
    written = [name for name in FILES if not (root / name).exists()]
    for name in written:
        (root / name).write_text(FILES[name], encoding="utf-8")
    style = output_style()
    out(f"{style.green('made')} {counted(len(written), 'file')} in {folder}: {', '.join(written)}")
    out("next")
    if folder != ".":
        out(f"  {style.cyan(f'cd {folder}')}")
    width = max(len(command) for command, _ in NEXT)
    for command, why in NEXT:
        out(f"  {style.cyan(command)}{' ' * (width - len(command))}  {style.dim(why)}")
    return FINE


def _workflow(root: Path) -> int:
    """Write the workflow into the repository at `root`."""
    target = root / WORKFLOW
    if target.exists():
        raise Failure(f"{target} is there already", "remove it first to have it written anew")
    text = Path(__file__).with_name("workflow.yml").read_text(encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    style = output_style()
    out(f"{style.green('made')} {target}")
    out("next")
    out("  say in it where lgc comes from, and leave out the steps that do not concern you")
    out("  set the secret LGC_STORE to have the runs of a store looked at")
    if not (root / ".git").exists():
        note(f"note: {root} is not the top of a git repository: GitHub reads workflows only there")
    return FINE
