"""Responses drawn by an inference server that speaks the OpenAI completions protocol: vLLM, SGLang and their like.

The server draws from the policy as it was handed over last. What each token's probability was there comes back with it,
and `importance.correct_for_sampler` makes up for the difference.
"""

import hashlib
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from training.algorithms.checkpoints import publish
from training.algorithms.groups import encode_text
from training.algorithms.loop import Tools, TrainingError
from training.algorithms.models import Policy
from training.algorithms.options.online import LORA, NEVER, RolloutConfig
from training.algorithms.processes import from_all, is_main
from training.algorithms.rollouts import Request, Sampling, stop_ids

TRIES, PAUSE = 3, 0.5  # a call that finds nobody is tried again after ½ and 1 second
PATIENCE = 600.0  # seconds for one prompt's responses, or for taking over weights
AT_ONCE = 32  # prompts asked for at the same time; the server batches them
FOLDER = "rollout"  # in the run's: the weights handed over


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response as the server drew it: as `rollouts.Sample`, with what its tokens' log-probabilities were there."""

    text: str
    ids: tuple[int, ...]  # the end of turn included
    finish_reason: str  # "stop" | "length"
    logprobs: tuple[float, ...] = ()  # one a token, nats; empty where the server does not say
    guessed: bool = False  # the tokens are what the text encodes to: the server did not name them


class Lost(Exception):
    """A call that may succeed when it is tried again."""


@dataclass
class RolloutServer:
    """Where responses are drawn, and under which name the policy is known there."""

    address: str
    model: str
    refresh: str  # "lora" | "disk" | "never": how it takes over the policy's weights
    every: int  # steps between two refreshes
    loaded: str = ""  # the adapter that is in use there
    handed: bool = False  # this process has handed weights over

    def sample(
        self, policy: Policy, requests: Sequence[Request], *, sampling: Sampling, should_stop: Callable[[], bool]
    ) -> list[Answer]:
        """Draw what the requests ask for, in their order; fewer when asked to stop. Raises TrainingError."""
        ends = stop_ids(policy.model, policy.tokenizer)

        def ask(request: Request) -> list[Answer]:
            return [] if should_stop() else self.ask(policy.tokenizer, request, sampling, ends)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [answer for answers in pool.map(ask, requests) for answer in answers]

    def ask(
        self, tokenizer: PreTrainedTokenizerBase, request: Request, sampling: Sampling, ends: set[int]
    ) -> list[Answer]:
        digest = hashlib.sha256(f"{sampling.seed}\n{request.key}".encode()).digest()
        told = self.call(
            "v1/completions",
            {
                "model": self.loaded or self.model,
                "prompt": list(request.ids),
                "n": len(request.indices),
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "max_tokens": sampling.max_tokens,
                "seed": int.from_bytes(digest[:4], "big") >> 1,
                "stop_token_ids": sorted(ends),
                "logprobs": 0,
                "return_token_ids": True,
                "skip_special_tokens": False,
            },
        )
        choices = told.get("choices", [])
        if len(choices) != len(request.indices):
            raise TrainingError(
                f"The rollout server at {self.address} sent {len(choices)} responses where {len(request.indices)} were "
                "asked for: name a server that draws several for a prompt (n), or clear “Rollout server”."
            )
        return [read_choice(tokenizer, choice, ends) for choice in choices]

    def refresh_when_due(self, policy: Policy, run: Path, step: int, tools: Tools) -> None:
        """Hand the policy's weights over, before step 0 and every so many; all processes come here."""
        if self.refresh == NEVER or (self.handed and step % self.every):
            return
        name = f"plumbline-{run.name}-step-{step}"
        folder = run / FOLDER / name
        trouble = ""
        if is_main():
            try:
                self.hand_over(policy, folder, name)
                tools.events.write("log", step, {"message": f"Handed the weights to the rollout server as {name}."})
            except TrainingError as error:
                trouble = str(error)
        for told in from_all(trouble):
            if told:
                raise TrainingError(told)
        self.loaded, self.handed = name if self.refresh == LORA else "", True

    def hand_over(self, policy: Policy, folder: Path, name: str) -> None:
        """Write the weights where the server reads them, tell it, and delete the ones before."""
        aside = folder.with_name(f".{folder.name}.{os.getpid()}")
        if self.refresh == LORA:
            policy.adapters[0].save_pretrained(str(aside))
            publish(aside, folder)
            self.call("v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder), "load_inplace": True})
            if self.loaded and self.loaded != name:
                self.call("v1/unload_lora_adapter", {"lora_name": self.loaded})
        else:
            policy.model.save_pretrained(aside)
            policy.tokenizer.save_pretrained(aside)
            publish(aside, folder)
            self.call("update_weights_from_disk", {"model_path": str(folder)})
        for old in folder.parent.iterdir():
            if old != folder:
                shutil.rmtree(old)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST, tried again where nobody answered. Raises TrainingError with a sentence."""
        for number in range(TRIES):
            try:
                return self.post(path, body)
            except Lost as error:
                lost = error
            time.sleep(PAUSE * 2**number if number + 1 < TRIES else 0)
        raise TrainingError(
            f"The rollout server at {self.address} did not answer {path} in {TRIES} tries ({lost}). Start it, then "
            "press Retry; or launch again without “Rollout server”, to draw the responses here."
        )

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("ROLLOUT_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self.address.rstrip('/')}/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                told = answer.read()
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace")
            if error.code in (408, 429) or error.code >= 500:
                raise Lost(f"{error.code}: {said}") from error
            raise TrainingError(
                f"The rollout server at {self.address} refused {path} ({error.code}): {said}"
            ) from error
        except OSError as error:
            raise Lost(str(error)) from error
        try:
            found = json.loads(told)
        except ValueError:
            found = told.decode(errors="replace")
        return found if isinstance(found, dict) else {"message": found}


def make_server(config: RolloutConfig) -> RolloutServer | None:
    """The server that the settings name; None: responses are drawn here."""
    if not config.rollout_server:
        return None
    return RolloutServer(
        address=config.rollout_server,
        model=config.rollout_model,
        refresh=config.rollout_refresh,
        every=config.rollout_every,
    )


def read_choice(tokenizer: PreTrainedTokenizerBase, choice: dict[str, Any], ends: set[int]) -> Answer:
    """One choice of an answer. Tokens come from `token_ids` (vLLM) or, failing that, from encoding the text again."""
    reason = "stop" if choice.get("finish_reason") == "stop" else "length"
    ids, guessed = choice.get("token_ids"), False
    if ids is None:
        ids, guessed = encode_text(tokenizer, choice["text"]), True
    if reason == "stop" and (not ids or ids[-1] not in ends):
        ids = [*ids, tokenizer.eos_token_id]
    logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or []
    known = not guessed and len(logprobs) == len(ids) and None not in logprobs
    text = str(tokenizer.decode(ids, skip_special_tokens=True)).replace("\x00", "")
    return Answer(
        text=text,
        ids=tuple(ids),
        finish_reason=reason,
        logprobs=tuple(logprobs) if known else (),
        guessed=guessed,
    )
