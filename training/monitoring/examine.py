"""Which monitors look at which runs."""

from training.monitoring.history import History
from training.monitoring.learning import find_forgetting, find_overfitting, find_saturation
from training.monitoring.reward_hacking import find_parting
from training.monitoring.samples import find_broken_samples, find_drift
from training.monitoring.verdicts import Verdict

COMPARED = ("dpo", "simpo", "orpo")
LEARNT_BY_HEART = ("reward_model", "sft", *COMPARED)


def examine(history: History, *, algorithm: str, samples_itself: bool) -> list[Verdict]:
    """Everything that is wrong with the run by now; the same history gives the same verdicts.

    `samples_itself` says that the run learns from its own responses.
    """
    found: list[Verdict | None] = []
    if samples_itself:
        found += [find_parting(history.steps, history.evaluations), *find_drift(history.steps)]
    else:
        found.append(find_broken_samples(history.samples))
    if algorithm in LEARNT_BY_HEART:
        found.append(find_overfitting(history.steps, history.evaluations))
    if algorithm in COMPARED:
        found += [*find_forgetting(history.evaluations), find_saturation(history.steps, history.evaluations)]
    return [verdict for verdict in found if verdict is not None]
