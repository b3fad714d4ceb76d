"""The tasks of article.lgraph, on the views and with the mutations that were generated for each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from article_lg import (
    AddNote,
    CheckContextContext,
    CheckFactsContext,
    CheckLengthContext,
    CheckReadingContext,
    CheckRepeatsContext,
    Grade,
    GradeContext,
    Measure,
    PublishContext,
    SetDraft,
    Verdict,
    WriteContext,
)
from common_lg import Fault, Note, Sentence

import checks
from drafting import Piece, revise
from page import render, write_whole
from reading import passages

# What is worth a new draft, and what a fault costs.
_COSTS = {
    Fault.unsupported: 1.0,
    Fault.clipped: 0.5,
    Fault.dangling: 0.5,
    Fault.too_long: 0.3,
    Fault.repeats: 0.3,
    Fault.hard_to_read: 0.1,
    Fault.remark: 0.0,
}
_GOOD_ENOUGH = 0.98


class ArticleNodes:
    """Everything that the graph `article` calls."""

    async def write(self, ctx: WriteContext, /) -> None:
        state = ctx.state
        await _think()
        long = {n.sentence for n in state.notes if n.fault is Fault.too_long and n.sentence is not None}
        other = {n.sentence for n in state.notes if n.fault is not Fault.too_long and n.sentence is not None}
        revision = revise(
            state.source, state.length, _pieces(state.chosen),
            too_long=long, faulty=other, given_up=state.dropped, limit=ctx.params["similarity"],
        )  # fmt: skip
        source = passages(state.source)
        sentences = [
            Sentence(id=piece.id, text=piece.text, place=source[piece.id].place, whole=piece.whole)
            for piece in revision.pieces
        ]
        text = " ".join(sentence.text for sentence in sentences)
        ctx.emit(f"{len(sentences)} sentences, {len(revision.given_up)} given up")
        ctx.record(SetDraft(sentences=sentences, text=text, without=revision.given_up))

    async def check_facts(self, ctx: CheckFactsContext, /) -> None:
        await _think()
        for note in _notes(
            "facts", Fault.unsupported, checks.unsupported(ctx.state.source, _pieces(ctx.state.chosen))
        ):
            ctx.record(AddNote(note=note))

    async def check_context(self, ctx: CheckContextContext, /) -> None:
        await _think()
        draft = _pieces(ctx.state.chosen)
        for note in _notes("context", Fault.clipped, checks.clipped(ctx.state.source, draft)):
            ctx.record(AddNote(note=note))
        for note in _notes("context", Fault.dangling, checks.dangling(ctx.state.source, draft)):
            ctx.record(AddNote(note=note))

    async def check_length(self, ctx: CheckLengthContext, /) -> None:
        await _think()
        for note in _notes(
            "length", Fault.too_long, checks.too_long(_pieces(ctx.state.chosen), ctx.params["words"])
        ):
            ctx.record(AddNote(note=note))

    async def check_repeats(self, ctx: CheckRepeatsContext, /) -> None:
        await _think()
        for note in _notes(
            "repeats", Fault.repeats, checks.repeated(_pieces(ctx.state.chosen), ctx.params["overlap"])
        ):
            ctx.record(AddNote(note=note))

    async def check_reading(self, ctx: CheckReadingContext, /) -> None:
        await _think()
        draft = _pieces(ctx.state.chosen)
        ctx.record(Measure(ease=round(checks.reading_ease(draft), 1)))
        for note in _notes("reading", Fault.hard_to_read, checks.hard(draft, ctx.params["grade"])):
            ctx.record(AddNote(note=note))

    async def grade(self, ctx: GradeContext, /) -> None:
        state = ctx.state
        await _think()
        cost = sum(_COSTS[note.fault] for note in state.notes)
        missing = max(0, state.length - len(state.chosen))
        score = max(0.0, 1.0 - (cost + missing) / state.length)
        if missing == state.length:
            verdict = Verdict.reject
        else:
            verdict = Verdict.accept if score >= _GOOD_ENOUGH else Verdict.revise
        ctx.emit(f"score {score:.2f}: {verdict.value}")
        ctx.record(Grade(score=round(score, 2), verdict=verdict))

    def publish(self, ctx: PublishContext, /) -> None:
        state = ctx.state
        html = render(
            state.title, state.chosen,
            total=len(passages(state.source)), drafts=state.revision, score=state.score, ease=state.ease,
        )  # fmt: skip
        write_whole(Path(state.page), html)
        ctx.emit(f"wrote {state.page}")


async def _think() -> None:
    """Time for the reader of a demonstration: seconds in ARTICLE_PAUSE, none by default."""
    await asyncio.sleep(float(os.environ.get("ARTICLE_PAUSE", "0")))


def _pieces(chosen: Sequence[Sentence]) -> list[Piece]:
    return [Piece(sentence.id, sentence.text, sentence.whole) for sentence in chosen]


def _notes(author: str, fault: Fault, found: Iterable[checks.Finding]) -> list[Note]:
    return [Note(author=author, fault=fault, sentence=sentence, text=text) for sentence, text in found]
