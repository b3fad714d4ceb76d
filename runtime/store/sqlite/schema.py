"""The tables of a store in SQLite: what they are called, what they hold, and which version they have.

* `history` gives each run id a small number and says where its log begins: after `base` (0, or the last
  truncated step), whose checksum is `base_sum`;
* `log` has one row per committed step, in the order of commits: many runs that commit together write few
  pages (side by side by run they would write one page each, measured at twice the cost);
* `graph` gives each graph hash a small number; `canonical` is NULL where only the hash is known;
* a checkpoint by reference is only the flag in its log row (1; 2 once it was removed). `checkpoint` holds
  those with a snapshot of their own;
* `sum` chains the rows of a log: it covers the sum of the row before. `seal` covers the row that it is in;
* `value` holds large values, each once for the whole store, `value_use` which runs use which of them;
* `steps`, `decisions`, `attempts`, `overrides` of a run count what there is of it elsewhere, so that it is
  noticed where a damaged page hides rows (see `run_rows`);
* `lease` of a run is until when its owner counts as being at work;
* `listed` is 0 for a snapshot that is no recovery point for people: it only makes reading the log shorter;
* an `override` is a move of a run to another graph: `mode` says how;
* `meta` remembers in `run` and `fence` how far the keys and tokens of deleted runs had come, as none may be
  given out again: a session that still drives such a run could otherwise write into another one.
"""

from __future__ import annotations

APPLICATION = 0x4C47_5231  # `LGR1` in the file's header, for `file` and for us
VERSION = 3

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE graph (
  key INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, canonical TEXT, seal BLOB NOT NULL
);
CREATE TABLE history (
  key INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, base INTEGER NOT NULL, base_sum BLOB NOT NULL
);
CREATE TABLE run (
  key INTEGER PRIMARY KEY, graph TEXT NOT NULL, hash INTEGER NOT NULL, status TEXT NOT NULL,
  input BLOB NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, owner TEXT NOT NULL,
  fence INTEGER NOT NULL, error TEXT NOT NULL, launch BLOB NOT NULL, parent TEXT NOT NULL, seal BLOB NOT NULL
);
CREATE INDEX run_status ON run (status);
CREATE TABLE log (
  key INTEGER PRIMARY KEY, run INTEGER NOT NULL, step INTEGER NOT NULL,
  frame TEXT NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, outcome TEXT NOT NULL,
  next TEXT NOT NULL, edge TEXT NOT NULL, mutations BLOB NOT NULL, time REAL NOT NULL,
  duration REAL NOT NULL, attempt INTEGER NOT NULL, cost REAL NOT NULL, error TEXT NOT NULL,
  checkpoint INTEGER NOT NULL, hash INTEGER NOT NULL, detail BLOB NOT NULL, sum BLOB NOT NULL
);
CREATE UNIQUE INDEX log_step ON log (run, step);
CREATE INDEX log_checkpoint ON log (run, step) WHERE checkpoint = 1;
CREATE TABLE checkpoint (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run INTEGER NOT NULL, step INTEGER NOT NULL,
  hash INTEGER NOT NULL, created REAL NOT NULL, snapshot BLOB NOT NULL, seal BLOB NOT NULL
);
CREATE INDEX checkpoint_run ON checkpoint (run, step);
CREATE TABLE decision (
  key INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, barrier TEXT NOT NULL, node TEXT NOT NULL,
  answer TEXT NOT NULL, arguments BLOB NOT NULL, mutations BLOB NOT NULL, actor TEXT NOT NULL,
  time REAL NOT NULL, step INTEGER NOT NULL, seal BLOB NOT NULL
);
CREATE INDEX decision_run ON decision (run);
CREATE TABLE attempt (
  key INTEGER PRIMARY KEY, run INTEGER NOT NULL, frame TEXT NOT NULL, node TEXT NOT NULL,
  visit INTEGER NOT NULL, attempt INTEGER NOT NULL, time REAL NOT NULL, seal BLOB NOT NULL
);
CREATE INDEX attempt_run ON attempt (run);
CREATE TABLE override (
  key INTEGER PRIMARY KEY, run INTEGER NOT NULL, step INTEGER NOT NULL, actor TEXT NOT NULL,
  reason TEXT NOT NULL, expected TEXT NOT NULL, actual TEXT NOT NULL, time REAL NOT NULL, seal BLOB NOT NULL
);
CREATE INDEX override_run ON override (run);
"""

_LEASES = "ALTER TABLE run ADD COLUMN lease REAL NOT NULL DEFAULT 0.0;\n"

_LISTED = "ALTER TABLE checkpoint ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;\n"

_VALUES = """
CREATE TABLE value (
  key INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, data BLOB NOT NULL, seal BLOB NOT NULL
);
CREATE TABLE value_use (
  run INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (run, value)
) WITHOUT ROWID;
CREATE INDEX value_use_value ON value_use (value);
"""

# Rows are sealed anew with the new columns in: what could not be checked before is believed this once.
_TALLIES = """
ALTER TABLE history ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
UPDATE history SET seal = seal('history', key, run, base, base_sum);
ALTER TABLE run ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN decisions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN overrides INTEGER NOT NULL DEFAULT 0;
UPDATE run SET
  steps = (SELECT coalesce(max(l.step), 0) FROM log l WHERE l.run = run.key),
  decisions = (SELECT count(*) FROM decision d WHERE d.run = run.key),
  attempts = (SELECT count(*) FROM attempt a WHERE a.run = run.key),
  overrides = (SELECT count(*) FROM override o WHERE o.run = run.key);
UPDATE run SET seal = seal(
  key, (SELECT h.run FROM history h WHERE h.key = run.key), graph, hash, status, input, created, updated,
  owner, fence, error, launch, parent, lease, steps, decisions, attempts, overrides
);
"""

# Before, every move was forced; its seal stays what it was (see `registry`).
_MODES = "ALTER TABLE override ADD COLUMN mode TEXT NOT NULL DEFAULT 'force';\n"

# What turns a store of a version into one of the next. A new store is made by all of them, one after the
# other: so that they cannot drift apart from the tables of a new store.
MIGRATIONS: dict[int, str] = {1: _LEASES + _LISTED + _VALUES + _TALLIES, 2: _MODES}


def statements(text: str) -> list[str]:
    """The statements of a text like those above."""
    return [one for one in text.split(";\n") if one.strip()]
