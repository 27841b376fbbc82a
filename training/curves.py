"""The curves of a run's page: which numbers of which events belong on one chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.algorithms.configs import ALGORITHMS
from training.models import RunEvent

TRAIN, EVAL = "train", "eval"
TABLE_ROWS = 25


@dataclass(frozen=True)
class Series:
    kind: str  # of the event: "train" | "eval"
    key: str  # in its data
    label: str


@dataclass(frozen=True)
class Chart:
    title: str
    help: str
    series: tuple[Series, ...]


def both(key: str) -> tuple[Series, ...]:
    return Series(TRAIN, key, "Training"), Series(EVAL, key, "Held out")


LOSS = Chart("Loss", "Lower is better.", both("loss"))
ACCURACY = Chart("Accuracy", "How often the chosen response comes out ahead.", both("accuracy"))
MARGIN = Chart("Margin", "How far the chosen response is ahead.", both("margin"))
REWARDS = Chart(
    "Rewards",
    "Of the chosen and the rejected response.",
    (
        Series(TRAIN, "rewards/chosen", "Chosen"),
        Series(TRAIN, "rewards/rejected", "Rejected"),
        Series(EVAL, "rewards/chosen", "Chosen, held out"),
        Series(EVAL, "rewards/rejected", "Rejected, held out"),
    ),
)
LOGPS = Chart(
    "Log-probabilities",
    "Of whole responses, in nats.",
    (
        Series(TRAIN, "logps/chosen", "Chosen"),
        Series(TRAIN, "logps/rejected", "Rejected"),
        Series(EVAL, "logps/chosen", "Chosen, held out"),
        Series(EVAL, "logps/rejected", "Rejected, held out"),
    ),
)
DRIFT = Chart(
    "Drift from the reference",
    "Log-probability since the start. Both falling: it unlearns more than it learns.",
    (
        Series(TRAIN, "drift/chosen", "Chosen"),
        Series(TRAIN, "drift/rejected", "Rejected"),
        Series(EVAL, "drift/chosen", "Chosen, held out"),
        Series(EVAL, "drift/rejected", "Rejected, held out"),
    ),
)
RATE = Chart("Learning rate", "As scheduled.", (Series(TRAIN, "learning_rate", "Rate"),))
NORM = Chart("Gradient norm", "Before clipping.", (Series(TRAIN, "grad_norm", "Norm"),))
SPEED = Chart("Speed", "Tokens a second.", (Series(TRAIN, "tokens_per_s", "Tokens/s"),))

PERPLEXITY = Chart("Perplexity", "Of a held-out token; lower is better.", (Series(EVAL, "perplexity", "Held out"),))
KL = Chart("KL estimate", "How far the policy is from its reference on average, nats a response.", both("kl"))
RATIO = Chart("Weight of the ratio", "1 where the policy is its reference.", both("ratio"))
ADVANTAGE = Chart("Advantage", "Of the responses seen: by the data alone.", both("advantage"))
VALUES = Chart(
    "Worth",
    "Of the tokens written and of the places they were written at, in deviations of the rewards.",
    (
        Series(TRAIN, "values/q", "Tokens"),
        Series(TRAIN, "values/v", "Places"),
        Series(EVAL, "values/q", "Tokens, held out"),
        Series(EVAL, "values/v", "Places, held out"),
    ),
)
VALUE_ADVANTAGE = Chart(
    "Advantage of a token", "Worth of what was written less that of its place, on average.", both("values/advantage")
)
VALUE_LOSSES = Chart(
    "Parts of the loss",
    "Of a token.",
    (
        Series(TRAIN, "loss/q", "Worth of tokens"),
        Series(TRAIN, "loss/v", "Worth of places"),
        Series(TRAIN, "loss/caution", "Caution"),
        Series(TRAIN, "loss/imitation", "Imitation"),
    ),
)
CALIBRATION = Chart(
    "Calibration error",
    "How far confidence is from accuracy, held out; with the fitted temperature, it should be small.",
    (Series(EVAL, "ece", "As trained"), Series(EVAL, "ece_calibrated", "With the temperature")),
)
LENGTH = Chart(
    "Length",
    "Correlation of reward and length within a prompt; 0 is indifferent.",
    (Series(EVAL, "length_correlation", "Held out"),),
)
REWARD = Chart(
    "Reward",
    "What the judge says of the responses; the objective is shaped and pays for the KL.",
    (*both("reward"), Series(TRAIN, "objective", "Objective")),
)
HELD_OUT_REWARD = Chart(
    "Held-out reward",
    "What a reward model says from which nothing is learnt. Where the reward rises and this falls, the reward model is "
    "being fooled.",
    both("heldout/reward"),
)
AGREEMENT = Chart(
    "Agreement of the reward models",
    "Correlation of their scores of the responses to one prompt; at 0 they have nothing in common.",
    (Series(TRAIN, "heldout/agreement", "Training"),),
)
TEXTS = Chart(
    "Responses",
    "Shares: four-word phrases said before, refusals, empty ones, one word over and over, different word pairs.",
    (
        Series(TRAIN, "texts/repetition", "Repetition"),
        Series(TRAIN, "texts/refusals", "Refusals"),
        Series(TRAIN, "texts/empty", "Empty"),
        Series(TRAIN, "texts/stuck", "Stuck"),
        Series(TRAIN, "texts/distinct", "Distinct"),
    ),
)
KL_ESTIMATES = Chart(
    "KL from the reference",
    "Nats a response, by three estimators. Reward that rises with a KL out of hand is a reward model being fooled.",
    (
        Series(TRAIN, "kl/k1", "k1"),
        Series(TRAIN, "kl/k2", "k2"),
        Series(TRAIN, "kl/k3", "k3"),
        Series(EVAL, "kl/k1", "k1, held out"),
    ),
)
BETA = Chart("Beta", "Weight of the KL; it moves where a KL is wanted.", (Series(TRAIN, "beta", "Beta"),))
ENTROPY = Chart("Entropy", "Nats a token; towards 0 the policy says one thing only.", both("entropy"))
RESPONSE_LENGTH = Chart("Response length", "Tokens, the end included.", both("completions/mean_length"))
UNFINISHED = Chart("Cut by length", "Share of responses without an end.", both("completions/clipped_ratio"))
CLIPPING = Chart(
    "Movement in a step",
    "Share of clipped ratios, and the KL from the policy that drew the responses.",
    (Series(TRAIN, "clip_ratio", "Clipped"), Series(TRAIN, "approx_kl", "KL, nats a token")),
)
CRITIC = Chart(
    "Critic",
    "Its loss, and the share of the returns' variance that it explains; 1 is perfect.",
    (Series(TRAIN, "value_loss", "Loss"), Series(TRAIN, "explained_variance", "Explained variance")),
)

CHARTS: dict[str, tuple[Chart, ...]] = {
    "reward": (LOSS, ACCURACY, MARGIN, REWARDS, CALIBRATION, LENGTH, RATE, NORM),
    "preference": (LOSS, ACCURACY, MARGIN, LOGPS, DRIFT, REWARDS, RATE, NORM, SPEED),
    "text": (LOSS, PERPLEXITY, RATE, NORM, SPEED),
    "flags": (LOSS, LOGPS, DRIFT, REWARDS, KL, RATE, NORM, SPEED),
    "online": (
        REWARD,
        HELD_OUT_REWARD,
        AGREEMENT,
        KL_ESTIMATES,
        RESPONSE_LENGTH,
        TEXTS,
        UNFINISHED,
        ENTROPY,
        CLIPPING,
        CRITIC,
        BETA,
        LOSS,
        RATE,
        NORM,
        SPEED,
    ),
    "advantage": (LOSS, RATIO, ADVANTAGE, RATE, NORM, SPEED),
    "values": (LOSS, VALUES, VALUE_ADVANTAGE, VALUE_LOSSES, RATE, NORM, SPEED),
}


def charts_of(algorithm: str) -> list[dict[str, Any]]:
    """The charts as JSON-ready dictionaries."""
    return [asdict(chart) for chart in CHARTS[ALGORITHMS[algorithm].charts]]


def columns_of(algorithm: str) -> list[Series]:
    """One column a number, training figures under their plain names."""
    return [series for chart in CHARTS[ALGORITHMS[algorithm].charts] for series in chart.series]


def table_rows(algorithm: str, events: Sequence[RunEvent]) -> list[tuple[int, str, list[float | None]]]:
    """(step, "train" | "eval", figures) of at most TABLE_ROWS evenly spaced events, each beside its column's key."""
    keys = table_keys(algorithm)
    every = max(1, -(-len(events) // TABLE_ROWS))
    chosen = [event for place, event in enumerate(events) if place % every == 0 or place == len(events) - 1]
    return [(event.step, event.kind, [event.data.get(key) for key in keys]) for event in chosen]


def table_keys(algorithm: str) -> list[str]:
    return list(dict.fromkeys(series.key for series in columns_of(algorithm)))
