"""Best of n while a generation is written: of every n draws the one its reward model likes best. Workers only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from training.models import Generation
from training.services.warm_models import load_warm_reward

if TYPE_CHECKING:
    from training.algorithms.rollouts import Request, Sample

Take = Callable[["Sample", int, dict[str, Any]], None]  # a response to keep, the tokens it cost, what to note beside it


class Chooser:
    """Takes draws as they come; once the n of a response are there, hands on the best under the response's number.

    Response i is chosen among draws i·n … i·n + n − 1. The reward is the mean of the reward model's heads.
    """

    def __init__(self, generation: Generation, requests: list[Request], take: Take) -> None:
        self.generation, self.take_best = generation, take
        self.requests = {request.key: request for request in requests}
        self.waiting: dict[tuple[str, int], list[Sample]] = defaultdict(list)

    def take(self, drawn: Sample) -> None:
        number = drawn.index // self.generation.best_of
        rivals = self.waiting[drawn.key, number]
        rivals.append(drawn)
        if len(rivals) == self.generation.best_of:
            del self.waiting[drawn.key, number]
            self.choose(number, sorted(rivals, key=lambda one: one.index))

    def choose(self, number: int, rivals: list[Sample]) -> None:
        rewards = self.judge(rivals)
        place = rewards.index(max(rewards))
        about = {
            "best_of": len(rivals),
            "reward_model": str(self.generation.reward_model),
            "reward": round(rewards[place], 4),
            "reward_mean": round(sum(rewards) / len(rewards), 4),
        }
        self.take_best(replace(rivals[place], index=number), sum(one.tokens for one in rivals), about)

    def judge(self, rivals: list[Sample]) -> list[float]:
        from training.algorithms.groups import Group, encode_groups  # loads torch
        from training.algorithms.labels import Tie
        from training.algorithms.models import context_length, score

        assert self.generation.reward_model is not None
        judge, request = load_warm_reward(self.generation.reward_model), self.requests[rivals[0].key]
        group = Group(
            id=request.key,
            prompt=tuple(request.prompt),
            system=request.system,
            completions=tuple(one.text for one in rivals),
            label=Tie(),  # nobody has compared them
            finished=tuple(one.finish_reason == "stop" for one in rivals),
        )
        encoded, _ = encode_groups([group], judge.tokenizer, max_length=context_length(judge.model, judge.tokenizer))
        return list(score(judge, encoded)[0])
