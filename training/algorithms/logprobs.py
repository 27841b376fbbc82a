"""Log-probabilities of completion tokens."""

import torch
import torch.nn.functional as F
from torch import Tensor


def token_logprobs(logits: Tensor, targets: Tensor, *, temperature: float = 1.0) -> Tensor:
    """log p(target) in fp32: the logit less the log-sum-exp.

    logits   # (S, V), any float type; row i is the prediction made at the token before target i
    targets  # (S,) token ids
    -> (S,) nats
    """
    return -F.cross_entropy(
        logits.float() / temperature if temperature != 1.0 else logits.float(), targets, reduction="none"
    )


def sum_by_owner(values: Tensor, owners: Tensor, count: int) -> Tensor:
    """Add up token values for each of `count` completions: values (S,), owners (S,) in [0, count) -> (count,)."""
    return torch.zeros(count, dtype=values.dtype, device=values.device).index_add(0, owners, values)


def token_entropies(logits: Tensor, *, temperature: float = 1.0) -> Tensor:
    """−Σ p log p in fp32. By hand, (1/2, 1/4, 1/4): 1.5 ln 2 = 1.03972.

    logits  # (S, V), any float type
    -> (S,) nats
    """
    logs = torch.log_softmax(logits.float() / temperature, -1)
    return -(logs.exp() * logs).sum(-1)
