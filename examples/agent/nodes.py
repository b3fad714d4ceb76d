"""The tasks of agent.lgraph."""

from __future__ import annotations

from agent_lg import (
    Ask,
    Call,
    Conclude,
    Finish,
    GiveUpContext,
    Message,
    ReportFailureContext,
    Role,
    RunToolContext,
    ThinkContext,
)

from lgc.runtime import StreamChunk
from models import Said, Wanted, model
from tools import TOOLS, ToolError, use


class AgentNodes:
    """Everything that the graphs `agent` and `use` call. Plain functions: each runs in a worker thread."""

    def think(self, ctx: ThinkContext, /) -> None:
        state = ctx.state
        conversation = [Said("user", state.question), *map(_said, state.messages)]
        turn = model().turn(ctx.params["system"], conversation, ctx.params["temperature"])
        ctx.set_token_cost(turn.tokens)
        if not turn.calls:
            ctx.emit(turn.text)
            ctx.record(Conclude(text=turn.text, cost=turn.tokens))
            return
        calls = [Call(id=wanted.id, tool=wanted.tool, arguments=wanted.arguments) for wanted in turn.calls]
        for call in calls:
            ctx.emit(StreamChunk.tool_queued(call.tool, call.id))
        message = Message(role=Role.assistant, text=turn.text, calls=calls)
        dangerous = [call for call in calls if call.tool in TOOLS and TOOLS[call.tool].dangerous]
        ctx.record(Ask(message=message, wanted=calls, dangerous=dangerous, cost=turn.tokens))

    def run_tool(self, ctx: RunToolContext, /) -> None:
        call = ctx.state.call
        ctx.emit(StreamChunk.tool_started(call.tool, call.id))
        try:
            text = use(call.tool, call.arguments)
        except ToolError as error:  # for the model to read; trying again would not help
            text = f"error: {error}"
        ctx.emit(StreamChunk.tool_output(call.tool, text, call.id))
        ctx.record(Finish(text=text))

    def report_failure(self, ctx: ReportFailureContext, /) -> None:
        ctx.record(Finish(text=f"error: {ctx.state.call.tool} does not work at the moment"))

    def give_up(self, ctx: GiveUpContext, /) -> None:
        ctx.record(Conclude(text="I have used up my turns and found no answer.", cost=0))


def _said(message: Message) -> Said:
    calls = tuple(Wanted(call.id, call.tool, dict(call.arguments)) for call in message.calls)
    return Said(message.role.value, message.text, calls, message.call)
