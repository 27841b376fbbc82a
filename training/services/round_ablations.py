"""The ablation of a round: what its reward model owes to strength, ties and weights."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from annotate.models import User
from training.models import Ablation, Round, RoundStep
from training.services.ablations import start_ablation


def ablate_round(*, round: Round, user: User) -> Ablation:
    """Launch it with the round's own judgements and settings; asked again, it is the one there is.

    Raises ValidationError: the round has not trained a reward model yet, or one person judged it all.
    """
    steps = round.steps.filter(kind=RoundStep.Kind.REWARD_MODEL).select_related("run__snapshot", "run__base_model")
    step = steps.first()
    if step is None or step.run is None:
        raise ValidationError(f"{round} has not begun to train its reward model. Wait until it has.")
    return start_ablation(
        project=round.project,
        user=user,
        snapshot=step.run.snapshot,
        base_model=step.run.base_model,
        name=f"{round}: what counts",
        like=step.run,
    )
