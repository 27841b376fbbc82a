"""Whether the responses themselves change for the worse: their length, repetition, refusals, variety, emptiness."""

from collections.abc import Mapping, Sequence

from training.algorithms.texts import is_stuck
from training.monitoring.history import Figures, average
from training.monitoring.verdicts import Verdict

WINDOW = 3  # steps
LONGER, SHORTER = 2.0, 1 / 3  # times the length at the start
MORE_REPETITION, MUCH_REPETITION = 0.2, 0.3
MORE_REFUSALS = 0.15
LESS_VARIETY = 0.5  # of the variety at the start
MORE_BROKEN, MOSTLY_BROKEN = 0.15, 0.5


def find_drift(steps: Sequence[Figures]) -> list[Verdict]:
    """The last steps' responses against the first steps'."""
    if len(steps) < 2 * WINDOW:
        return []
    first, last = steps[:WINDOW], steps[-WINDOW:]
    found = [find_length(first, last), find_repetition(first, last), find_refusals(first, last)]
    return [verdict for verdict in (*found, find_sameness(first, last), find_broken(first, last)) if verdict]


def find_length(first: Sequence[Figures], last: Sequence[Figures]) -> Verdict | None:
    before, now = average(first, "completions/mean_length"), average(last, "completions/mean_length")
    if not before or not now or SHORTER < now / before < LONGER:
        return None
    longer = now > before
    return Verdict(
        kind="length_drift",
        message=f"Responses have become {'longer' if longer else 'shorter'}: {now:.0f} tokens on average, {before:.0f} "
        "at the start. Reward models often like length for its own sake.",
        remedy="Read the newest samples. If they say no more, train the reward model with length control, or raise "
        "beta.",
        facts=change(before, now),
    )


def find_repetition(first: Sequence[Figures], last: Sequence[Figures]) -> Verdict | None:
    before, now = average(first, "texts/repetition"), average(last, "texts/repetition")
    if before is None or now is None or now < max(MUCH_REPETITION, before + MORE_REPETITION):
        return None
    return Verdict(
        kind="repetition",
        message=f"Responses repeat themselves: {now:.0%} of their four-word phrases were said before in the same "
        f"response, {before:.0%} at the start.",
        remedy="Stop the run, lower the learning rate or raise beta, and have such responses judged.",
        facts=change(before, now),
    )


def find_refusals(first: Sequence[Figures], last: Sequence[Figures]) -> Verdict | None:
    before, now = average(first, "texts/refusals"), average(last, "texts/refusals")
    if before is None or now is None or now < before + MORE_REFUSALS:
        return None
    return Verdict(
        kind="refusals",
        message=f"{now:.0%} of the responses begin with a refusal, {before:.0%} at the start.",
        remedy="See in the reward model's report whether it prefers refusals, and have more of them judged.",
        facts=change(before, now),
    )


def find_sameness(first: Sequence[Figures], last: Sequence[Figures]) -> Verdict | None:
    before, now = average(first, "texts/distinct"), average(last, "texts/distinct")
    if not before or now is None or now > LESS_VARIETY * before:
        return None
    return Verdict(
        kind="sameness",
        message=f"Responses have become alike: {now:.0%} of their word pairs are different ones, {before:.0%} at "
        "the start.",
        remedy="Raise beta or the entropy bonus, or end earlier: a policy that says one thing only learns nothing new.",
        facts=change(before, now),
    )


def find_broken(first: Sequence[Figures], last: Sequence[Figures]) -> Verdict | None:
    """Empty, or one word over and over: past half of the responses the run is stopped."""
    before, now = broken_share(first), broken_share(last)
    if before is None or now is None or now < before + MORE_BROKEN:
        return None
    mostly = now >= MOSTLY_BROKEN and before < MOSTLY_BROKEN / 2
    return Verdict(
        kind="degenerate",
        severity="stop" if mostly else "warning",
        message=f"{now:.0%} of the responses are empty or one word over and over, {before:.0%} at the start.",
        remedy="Lower the learning rate and raise beta. Where the reward model likes such responses, have some of "
        "them judged.",
        facts=change(before, now),
    )


def broken_share(rows: Sequence[Figures]) -> float | None:
    empty, stuck = average(rows, "texts/empty"), average(rows, "texts/stuck")
    return None if empty is None or stuck is None else empty + stuck


def find_broken_samples(samples: Mapping[int, Sequence[str]]) -> Verdict | None:
    """For runs that draw a few samples at each evaluation alone: at least half of the newest are broken, fewer than
    that of the first were."""
    if len(samples) < 2:
        return None
    first, last = samples[min(samples)], samples[max(samples)]
    before, now = (sum(not text.strip() or is_stuck(text) for text in texts) / len(texts) for texts in (first, last))
    if len(last) < 2 or now < MOSTLY_BROKEN or before >= MOSTLY_BROKEN:
        return None
    return Verdict(
        kind="degenerate",
        message=f"At step {max(samples)}, {now:.0%} of the samples are empty or one word over and over; at the start, "
        f"{before:.0%}.",
        remedy="Lower the learning rate or train for fewer epochs, and look at what the snapshot teaches.",
        facts=change(before, now),
    )


def change(before: float, now: float) -> dict[str, dict[str, float]]:
    return {"share" if now <= 1 and before <= 1 else "value": {"before": round(before, 4), "after": round(now, 4)}}
