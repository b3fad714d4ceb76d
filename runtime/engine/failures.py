"""Errors of nodes and of stores: which end the session, and what a node raised as an error of ours."""

from __future__ import annotations

from ..errors import LgcError, NodeFailed, RunFenced, RunUncertain, StorageError, text_of
from ..machine.frame import Frame

# Errors that end the session, not only a branch: nothing more can be made durable, or nothing more may be.
FATAL = (RunFenced, StorageError, RunUncertain)


def fatal(error: BaseException) -> bool:
    """Whether an error ends the session rather than a branch."""
    return isinstance(error, FATAL)


def as_failure(error: BaseException, frame: Frame, node: str, run: str) -> LgcError:
    """What a node raised, as an error of ours that names the node."""
    where = frame.where(node)
    if isinstance(error, LgcError):
        return error.at(run=run, node=where)
    failure = NodeFailed(f"`{node}` raised {type(error).__name__}: {text_of(error)}", run=run, node=where)
    failure.__cause__ = error
    return failure
