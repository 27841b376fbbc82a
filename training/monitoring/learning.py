"""Whether what is learnt from stored judgements carries over: overfitting, and where DPO's loss hides a loss."""

from collections.abc import Sequence

from training.monitoring.history import Figures, average, values
from training.monitoring.verdicts import Verdict

WINDOW = 10  # steps
LOSS_RISE = 0.05  # of the lowest held-out loss
ACCURACY_GAP = 0.1  # between training and the upper end of the held-out interval
LEAST_FALL, FALL = 5.0, 0.1  # nats, and share of the log-probability at the start
FAR = 0.5
SATURATED_ACCURACY, SATURATED_LOSS = 0.99, 0.1


def find_overfitting(steps: Sequence[Figures], evaluations: Sequence[Figures]) -> Verdict | None:
    """The held-out loss has risen from its lowest while the training loss fell on, or accuracy is far apart."""
    losses = [(row["loss"], row["step"]) for row in evaluations if row.get("loss") is not None]
    if len(losses) < 3 or len(steps) < WINDOW:
        return None
    (lowest, at), (now, _) = min(losses), losses[-1]
    before, trained = (
        average([row for row in steps if row["step"] <= at][-WINDOW:], "loss"),
        average(steps[-WINDOW:], "loss"),
    )
    risen = now > lowest * (1 + LOSS_RISE) and (before is None or (trained is not None and trained < before))
    accuracy, high = average(steps[-WINDOW:], "accuracy"), evaluations[-1].get("accuracy_high")
    apart = accuracy is not None and high is not None and accuracy > high + ACCURACY_GAP
    if not risen and not apart:
        return None
    told = f"The held-out loss was lowest at step {at} ({lowest:.3f}) and is {now:.3f} now"
    if apart and not risen:
        told = f"Accuracy is {accuracy:.0%} on what it trains on and at most {high:.0%} on what was held out"
    return Verdict(
        kind="overfitting",
        message=f"{told}: it learns these judgements by heart instead of what they have in common.",
        remedy="Train for fewer epochs or switch on “Keep the best”; more judgements of different prompts help most.",
        facts={"lowest_loss": round(lowest, 4), "at_step": at, "loss": round(now, 4)},
    )


def find_forgetting(evaluations: Sequence[Figures]) -> list[Verdict]:
    """Log-probabilities of the stored responses against the first evaluation."""
    if len(evaluations) < 2:
        return []
    first, last = evaluations[0], evaluations[-1]
    found = []
    chosen, rejected = fall(first, last, "logps/chosen"), fall(first, last, "logps/rejected")
    if chosen is not None and chosen[0] > LEAST_FALL and chosen[1] > FALL:
        found.append(
            Verdict(
                kind="chosen_falling",
                message=f"The chosen responses have become less likely by {chosen[0]:.1f} nats each ({chosen[1]:.0%}): "
                "the margin grows because the rejected ones fall faster, and the probability goes to neither.",
                remedy="Lower the learning rate or the number of epochs, raise beta, or add a supervised step on the "
                "chosen responses first.",
                facts={"nats": round(chosen[0], 3), "share": round(chosen[1], 4)},
            )
        )
    if rejected is not None and rejected[0] > LEAST_FALL and rejected[1] > FAR:
        found.append(
            Verdict(
                kind="far_from_reference",
                message=f"The rejected responses have lost {rejected[0]:.1f} nats each ({rejected[1]:.0%} of their "
                "log-probability): the policy has moved far from its reference.",
                remedy="Raise beta or lower the learning rate, and compare samples with those of the base model.",
                facts={"nats": round(rejected[0], 3), "share": round(rejected[1], 4)},
            )
        )
    return found


def fall(first: Figures, last: Figures, key: str) -> tuple[float, float] | None:
    """In nats, and as a share of what it was. By hand, −20 to −25: (5, 0.25)."""
    before, now = first.get(key), last.get(key)
    return None if not before or now is None else (before - now, (before - now) / abs(before))


def find_saturation(steps: Sequence[Figures], evaluations: Sequence[Figures]) -> Verdict | None:
    """Nothing is left to learn from the training pairs, and the held-out loss no longer falls."""
    losses = values(evaluations, "loss")
    accuracy, loss = average(steps[-WINDOW:], "accuracy"), average(steps[-WINDOW:], "loss")
    if len(steps) < WINDOW or len(losses) < 2 or accuracy is None or loss is None:
        return None
    if accuracy < SATURATED_ACCURACY or loss > SATURATED_LOSS or losses[-1] <= min(losses):
        return None
    return Verdict(
        kind="margin_saturated",
        message=f"The margin is saturated: {accuracy:.0%} of the training pairs are right with a loss of {loss:.3f}, "
        "and the held-out loss has stopped falling. Further steps only push probabilities apart.",
        remedy="End here, or use label smoothing or IPO, which do not reward a margin without end.",
        facts={"accuracy": round(accuracy, 4), "loss": round(loss, 4)},
    )
