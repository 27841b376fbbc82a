"""Where a policy gradient stops being worth its distance, in words for a run's page."""

from __future__ import annotations

from collections.abc import Sequence

from training.models import RunEvent
from training.monitoring.reward_hacking import fit_curve

FORESEEN = 4.0  # times the distance so far: a top further off is no more than a guess


def say_turn(events: Sequence[RunEvent]) -> str:
    """Where the curve of Gao et al. 2022 through the training steps is highest; empty without a held-out reward."""
    rows = [{**event.data, "step": event.step} for event in events if event.kind == "train"]
    curve = fit_curve(rows)
    if curve is None:
        return ""
    reached = max(row.get("kl") or 0.0 for row in rows)
    best = curve.best_kl
    if best is None or best > FORESEEN * reached:
        return f"The held-out reward still rises at {reached:.1f} nats from the reference; its top is not in sight."
    if best > reached:
        return (
            f"By its curve so far the held-out reward is highest about {best:.1f} nats from the reference; the policy "
            f"has come to {reached:.1f}."
        )
    return (
        f"By its curve the held-out reward was highest about {best:.1f} nats from the reference. The policy has come "
        f"to {reached:.1f}: what it gained since, it gained from the reward model alone."
    )
