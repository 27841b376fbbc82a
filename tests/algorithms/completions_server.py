"""A small inference server with the completions protocol, as vLLM and SGLang speak it, for a tiny policy."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from training.algorithms.groups import EncodedGroup
from training.algorithms.labels import Tie
from training.algorithms.models import Policy, load_policy
from training.algorithms.packing import collate
from training.algorithms.rollouts import Request, Sample, Sampling, sample


class CompletionsServer(ThreadingHTTPServer):
    """Draws from `folder` until it is told otherwise; `calls` are the paths and bodies it was sent."""

    def __init__(self, folder: Path, *, names_tokens: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.names_tokens = folder, names_tokens
        self.policy, self.served = load_policy(folder), {"tiny"}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any] | str]:
        self.calls.append((path, body))
        if path == "/v1/completions":
            return self.complete(body)
        if path == "/v1/load_lora_adapter":
            self.policy = load_policy(self.folder)
            self.policy.model = PeftModel.from_pretrained(self.policy.model, body["lora_path"]).merge_and_unload()
            self.served.add(body["lora_name"])
        elif path == "/v1/unload_lora_adapter":
            self.served.remove(body["lora_name"])
        elif path == "/update_weights_from_disk":
            self.policy = load_policy(body["model_path"])
        else:
            return 404, "there is no such path"
        return 200, "done"

    def complete(self, body: dict[str, Any]) -> tuple[int, dict[str, Any] | str]:
        if body["model"] not in self.served:
            return 404, f"The model `{body['model']}` does not exist."
        sampling = Sampling(temperature=body["temperature"], max_tokens=body["max_tokens"], seed=body["seed"])
        request = Request(key="prompt", prompt=[], ids=tuple(body["prompt"]), indices=tuple(range(body["n"])))
        drawn = sample(self.policy.model, self.policy.tokenizer, [request], sampling=sampling)
        values = logprobs(self.policy, request.ids, drawn, sampling.temperature)
        return 200, {
            "choices": [
                {
                    "text": one.text,
                    "finish_reason": one.finish_reason,
                    **({"token_ids": one.ids, "logprobs": {"token_logprobs": own}} if self.names_tokens else {}),
                }
                for one, own in zip(drawn, values, strict=True)
            ]
        }


def logprobs(policy: Policy, prompt: tuple[int, ...], drawn: list[Sample], temperature: float) -> list[list[float]]:
    group = EncodedGroup(id="g", prompt=prompt, completions=tuple(one.ids for one in drawn), label=Tie())
    with torch.no_grad():
        values = policy(collate([group], policy.form), temperature)
    return [own.tolist() for own in values.split([len(one.ids) for one in drawn])]


class Handler(BaseHTTPRequestHandler):
    server: CompletionsServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            status, answer = self.server.answer(self.path, body)
        payload = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests read `calls`."""


@contextmanager
def serve(folder: Path, *, names_tokens: bool = True) -> Iterator[CompletionsServer]:
    server = CompletionsServer(folder, names_tokens=names_tokens)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
