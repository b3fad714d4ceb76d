"""From a conversation to the model's next turn: a script by default, a real provider by one variable.

AGENT_URL is the base of an endpoint that speaks OpenAI's chat completions (`https://HOST/v1`). Where the
endpoint asks for more, AGENT_KEY is sent as its key and AGENT_MODEL names the model.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tools import TOOLS


class Wanted(NamedTuple):
    """A call of a tool that a model asks for."""

    id: str
    tool: str
    arguments: dict[str, str]


class Said(NamedTuple):
    """One message: `role` is user, assistant or tool; `call` is the id that a tool's message answers."""

    role: str
    text: str
    calls: tuple[Wanted, ...] = ()
    call: str | None = None


class Turn(NamedTuple):
    """What a model says: a text, or calls, and what it cost in tokens."""

    text: str
    calls: tuple[Wanted, ...]
    tokens: int


class Model(Protocol):
    """Anything that can take a turn."""

    def turn(self, system: str, conversation: Sequence[Said], temperature: float) -> Turn: ...


def model() -> Model:
    """The provider that AGENT_URL names, else the script."""
    url = os.environ.get("AGENT_URL", "")
    return Provider(url) if url else Script()


class Script:
    """A model that needs no network: compares the years of the two planets named first in the question.

    It looks both up at once, divides, asks to write the result down, and answers, whatever a person said.
    """

    def turn(self, system: str, conversation: Sequence[Said], temperature: float) -> Turn:
        """The next turn; a pure function of the conversation."""
        names = re.findall(r"\b[A-Z][a-z]+\b", conversation[0].text)
        planets = [name for name in names if name not in ("How", "What", "Which", "Save", "Write")][:2]
        results = [said.text for said in conversation if said.role == "tool"]
        asked = len([said for said in conversation if said.role == "assistant"])
        tokens = sum(len(said.text.split()) for said in conversation)
        if len(planets) < 2:
            return Turn("Name two planets to compare.", (), tokens)
        if asked == 0:
            calls = [Wanted(f"look-{at}", "search", {"query": name}) for at, name in enumerate(planets, 1)]
            return Turn("", tuple(calls), tokens)
        years = [float(found[1]) for text in results[:2] if (found := re.search(r"year ([\d.]+)", text))]
        if len(years) < 2:
            return Turn(f"I know nothing of {planets[0]} and {planets[1]}.", (), tokens)
        if asked == 1:
            return Turn(
                "", (Wanted("divide", "calculate", {"expression": f"{years[1]} / {years[0]}"}),), tokens
            )
        answer = f"A year on {planets[1]} lasts {float(results[2]):.2f} times as long as on {planets[0]}."
        if asked == 2:
            return Turn("", (Wanted("save", "write_file", {"name": "answer.txt", "text": answer}),), tokens)
        saved = any(
            said.role == "tool" and said.call == "save" and said.text.startswith("wrote")
            for said in conversation
        )
        return Turn(answer + ("" if saved else " (It was not written down.)"), (), tokens)


class Provider:
    """A real model behind an HTTP endpoint."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/chat/completions"

    def turn(self, system: str, conversation: Sequence[Said], temperature: float) -> Turn:
        """Ask the endpoint.

        Raises:
            OSError: it cannot be reached or refuses.
            ValueError: it answers something else than a chat completion.
        """
        body = {
            "model": os.environ.get("AGENT_MODEL", "default"),
            "temperature": temperature,
            "messages": [{"role": "system", "content": system}, *map(_message, conversation)],
            "tools": [_tool(name) for name in TOOLS],
        }
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("AGENT_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return _turn(json.load(answer))


def _message(said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": said.role, "content": said.text}
    if said.calls:
        message["tool_calls"] = [
            {
                "id": w.id,
                "type": "function",
                "function": {"name": w.tool, "arguments": json.dumps(w.arguments)},
            }
            for w in said.calls
        ]
    if said.call is not None:
        message["tool_call_id"] = said.call
    return message


def _tool(name: str) -> dict[str, Any]:
    tool = TOOLS[name]
    properties = {key: {"type": "string", "description": text} for key, text in tool.arguments.items()}
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": name, "description": tool.purpose, "parameters": parameters},
    }


def _turn(answer: Mapping[str, Any]) -> Turn:
    try:
        message = answer["choices"][0]["message"]
        calls = tuple(
            Wanted(
                call["id"],
                call["function"]["name"],
                {key: str(value) for key, value in json.loads(call["function"]["arguments"] or "{}").items()},
            )
            for call in message.get("tool_calls") or ()
        )
        return Turn(message.get("content") or "", calls, int(answer.get("usage", {}).get("total_tokens", 0)))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not a chat completion: {error!r}") from error
