"""The agent example: tools side by side, a person before the dangerous one, a provider over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

Copy = Callable[[str], Any]
QUESTION = json.dumps({"question": "What is six times seven?"})
EARTH_MARS = json.dumps({"question": "How does the year of Earth compare with that of Mars? Save it."})


def test_it_checks_clean_and_its_scenarios_pass(example: Copy) -> None:
    agent = example("agent")
    agent.lgc("check", "--strict", ".")
    agent.lgc("fmt", "--check", ".")
    assert "4 passed" in agent.lgc("test", ".")


def test_it_uses_tools_and_asks_before_it_writes(example: Copy) -> None:
    agent = example("agent")
    text = agent.lgc("run", "agent.lgraph", "--input", EARTH_MARS, "--run-id", "r")
    assert "waiting at allow" in text
    assert "write_file" in text
    assert not (agent.folder / "files").exists()
    text = agent.lgc("decide", "r", "allow", "approve", "--actor", "p")
    assert "1.88 times as long" in text
    assert "1.88 times" in (agent.folder / "files" / "answer.txt").read_text(encoding="utf-8")
    log = [json.loads(line) for line in agent.lgc("log", "r", "--json").splitlines()]
    used = [step["frame"] for step in log if step["node"] == "run_tool"]
    assert len(used) == 4, "two searches, one sum, one file"
    assert len(set(used)) >= 2, "the searches are elements of one map"


def test_what_is_refused_does_not_happen(example: Copy) -> None:
    agent = example("agent")
    agent.lgc("run", "agent.lgraph", "--input", EARTH_MARS, "--run-id", "r")
    text = agent.lgc("decide", "r", "allow", "refuse", "reason=not here", "--actor", "p")
    assert "not written down" in text
    assert not (agent.folder / "files").exists()


class _Endpoint(BaseHTTPRequestHandler):
    """Speaks the little of chat completions that the example needs."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, "key": self.headers["Authorization"], **body})
        if len(self.asked) == 1:
            function = {"name": "calculate", "arguments": json.dumps({"expression": "6 * 7"})}
            message: dict[str, Any] = {
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            }
        else:
            message = {"content": f"It is {body['messages'][-1]['content']}."}
        answer = json.dumps({"choices": [{"message": message}], "usage": {"total_tokens": 21}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _endpoint() -> Generator[str]:
    _Endpoint.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_real_provider_is_one_variable_away(example: Copy) -> None:
    agent = example("agent")
    with _endpoint() as url:
        text = agent.lgc(
            "run",
            "agent.lgraph",
            "--input",
            QUESTION,
            "--run-id",
            "r",
            AGENT_URL=url,
            AGENT_KEY="k",
            no_proxy="*",
        )
    assert "It is 42." in text
    first, second = _Endpoint.asked
    assert first["path"] == "/v1/chat/completions"
    assert first["key"] == "Bearer k"
    assert [tool["function"]["name"] for tool in first["tools"]] == ["search", "calculate", "write_file"]
    assert second["messages"][-1] == {"role": "tool", "content": "42", "tool_call_id": "c1"}
    assert second["messages"][-2]["tool_calls"][0]["function"]["name"] == "calculate"
