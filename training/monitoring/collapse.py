"""Whether a finished policy has collapsed: what it writes beside what the policy before wrote to the same prompts.

The other monitors watch a run as it goes. This one is asked before a policy is taken into use: a judge that never saw
such responses may prefer them (bench.rounds: a held-out reward model preferred an all but mute policy in 21 of 21).
"""

from collections.abc import Sequence
from math import sqrt

from training.algorithms.texts import is_stuck, repetition
from training.monitoring.history import Figures
from training.monitoring.learning import fall
from training.monitoring.verdicts import Verdict

SURE = 2.6  # standard errors; one-sided 0.5 %
MORE_BROKEN = 0.2  # share of the responses
LONGER, SHORTER = 4.0, 1 / 3  # times the length before
MORE_REPETITION, MUCH_REPETITION = 0.2, 0.3
LEAST_FALL, FAR = 5.0, 0.6  # nats, and share of the log-probability at the start
REMEDY = (
    "Read its samples before you take it. Lower the learning rate or the number of epochs, raise beta, or let rounds "
    "start from the base model."
)


def find_collapse(ours: Sequence[str], before: Sequence[str], *, first: Figures, last: Figures) -> Verdict | None:
    """The new policy's responses are empty, stuck or repetitive more often, or of quite another length; or its run has
    unlearnt the responses people chose, between the `first` evaluation and the `last`."""
    told = [find_loss_of_chosen(first, last)]
    if ours and len(ours) == len(before):
        told += [find_broken(ours, before), find_length(ours, before), find_repetition(ours, before)]
    said = [sentence for sentence in told if sentence]
    if not said:
        return None
    facts = {"responses": len(ours), "logps/chosen": [first.get("logps/chosen"), last.get("logps/chosen")]}
    return Verdict(kind="collapse", severity="stop", message=" ".join(said), remedy=REMEDY, facts=facts)


def find_loss_of_chosen(first: Figures, last: Figures) -> str:
    fallen = fall(first, last, "logps/chosen")
    if fallen is None or fallen[0] < LEAST_FALL or fallen[1] < FAR:
        return ""
    return (
        f"The responses people chose have become less likely by {fallen[0]:.1f} nats each ({fallen[1]:.0%} of their "
        "log-probability)."
    )


def find_broken(ours: Sequence[str], before: Sequence[str]) -> str:
    now, then, count = share_broken(ours), share_broken(before), len(ours)
    pooled = (now + then) / 2
    error = sqrt(2 * pooled * (1 - pooled) / count)
    if now - then < max(MORE_BROKEN, SURE * error):
        return ""
    return (
        f"{now:.0%} of its {count} responses to held-out prompts are empty or one word over and over; of those by the "
        f"policy before, {then:.0%}."
    )


def share_broken(texts: Sequence[str]) -> float:
    return sum(not text.strip() or is_stuck(text) for text in texts) / len(texts)


def find_length(ours: Sequence[str], before: Sequence[str]) -> str:
    now, then = mean_length(ours), mean_length(before)
    if not then or SHORTER < now / then < LONGER:
        return ""
    return f"Its responses are {now:.1f} characters long on average; those by the policy before, {then:.1f}."


def mean_length(texts: Sequence[str]) -> float:
    """Characters, spaces at the ends left out."""
    return sum(len(text.strip()) for text in texts) / len(texts)


def find_repetition(ours: Sequence[str], before: Sequence[str]) -> str:
    now, then = (sum(map(repetition, texts)) / len(texts) for texts in (ours, before))
    if now < max(MUCH_REPETITION, then + MORE_REPETITION):
        return ""
    return (
        f"{now:.0%} of the four-word phrases in its responses were said before in the same response; by the policy "
        f"before, {then:.0%}."
    )
