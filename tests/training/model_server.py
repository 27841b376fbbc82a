"""A server on this machine that speaks the OpenAI protocols and misbehaves when it is told to."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

Reply = tuple[int, dict[str, str], bytes]
Trick = Callable[[dict[str, Any]], Reply]


class ModelServer(ThreadingHTTPServer):
    """Answers "Answer to …" unless a trick is left to play; keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str] = []
        self.tricks: list[Trick] = []
        self.always: Trick | None = None
        self.lock = Lock()
        self.closing = Event()  # ends what hangs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, path: str, key: str, body: dict[str, Any]) -> Reply:
        with self.lock:
            self.asked.append(body)
            self.paths.append(path)
            self.keys.append(key)
            trick = self.tricks.pop(0) if self.tricks else self.always
        return trick(body) if trick else (say_text if path.endswith("/v1/completions") else say)(body)

    def hang(self, body: dict[str, Any]) -> Reply:
        self.closing.wait(30)
        return say(body)


class Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization", "")
        status, headers, told = self.server.answer(self.path, key, body)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(told))}.items():
            self.send_header(name, value)
        with suppress(BrokenPipeError):  # whoever asked has given up
            self.end_headers()
            self.wfile.write(told)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def model_server() -> Iterator[ModelServer]:
    server = ModelServer()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def say(body: dict[str, Any], usage: dict[str, int] | None = None) -> Reply:
    """An answer of 10 tokens to a prompt of 5, another for each seed."""
    text = f"Answer to {body['messages'][-1]['content']} ({body.get('seed')})"
    told = {
        "model": "tiny-2026",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 10} if usage is None else usage,
    }
    return 200, {}, json.dumps(told).encode()


def say_text(body: dict[str, Any]) -> Reply:
    told = {"choices": [{"text": f" Went on after {len(body['prompt'])} letters.", "finish_reason": "length"}]}
    return 200, {}, json.dumps(told).encode()


def refuse(status: int, message: str = "", **headers: str) -> Trick:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda body: (status, named, json.dumps({"error": {"message": message}}).encode())


def send(told: bytes) -> Trick:
    return lambda body: (200, {}, told)
