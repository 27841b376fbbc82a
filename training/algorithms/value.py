"""What policy optimisation trains: a policy, and for PPO a critic beside it."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from training.algorithms.logprobs import token_entropies, token_logprobs
from training.algorithms.models import Policy, RewardModel, find_head
from training.algorithms.packing import Batch


class Reading(NamedTuple):
    """One forward pass over C responses of S tokens, fp32."""

    logprobs: Tensor  # (S,) nats
    entropies: Tensor | None  # (S,) nats, where asked for
    values: Tensor | None  # (S,) what the critic expects before each token is drawn
    after: Tensor | None  # (C,) what it expects after the last token


class Actor(nn.Module):
    """A policy and its critic: none, a head on the policy's own trunk, or a network of its own."""

    def __init__(self, policy: Policy, critic: "TrunkCritic | SeparateCritic | None") -> None:
        super().__init__()
        self.policy, self.critic = policy, critic
        self.form = policy.form

    def forward(self, batch: Batch, temperature: float, with_entropy: bool, entropy_is_learnt: bool = True) -> Reading:
        on_trunk = isinstance(self.critic, TrunkCritic)
        logits, hidden = self.policy.predict(batch, with_hidden=on_trunk)
        if isinstance(self.critic, SeparateCritic):
            hidden = self.critic.read(batch)
        values = after = entropies = None
        if with_entropy:
            with torch.set_grad_enabled(torch.is_grad_enabled() and entropy_is_learnt):
                entropies = token_entropies(logits, temperature=temperature)
        if self.critic is not None and hidden is not None:
            values, after = self.critic(hidden[batch.sources]), self.critic(hidden[batch.ends])
        return Reading(
            token_logprobs(logits, batch.targets, temperature=temperature),
            entropies,
            values,
            after,
        )


class TrunkCritic(nn.Module):
    """A linear head on the policy's last hidden states; starts at 0 (Ziegler et al. 2019 let it share the trunk)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, d) any float type -> (N,) fp32"""
        with torch.autocast(hidden.device.type, enabled=False):
            return self.score(hidden.float())[:, 0]


class SeparateCritic(nn.Module):
    """A decoder with a scalar head that starts at 0, of the policy's or of a reward model's weights (Stiennon et al.
    2020)."""

    def __init__(self, network: RewardModel) -> None:
        super().__init__()
        self.network = network
        head = find_head(network.model)
        nn.init.zeros_(head.weight)
        if head.bias is not None:
            nn.init.zeros_(head.bias)

    def read(self, batch: Batch) -> Tensor:
        """-> (N, d) last hidden states of all tokens"""
        trunk: Any = self.network.model.base_model
        layout = {"layout": batch.layout} if batch.layout is not None else {"attention_mask": batch.mask}
        output = trunk(input_ids=batch.ids, position_ids=batch.positions, use_cache=False, **layout)
        return output.last_hidden_state.flatten(0, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, d) any float type -> (N,) fp32"""
        with torch.autocast(hidden.device.type, enabled=False):
            return find_head(self.network.model)(hidden.float())[:, 0]
