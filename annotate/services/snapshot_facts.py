"""What is in a finished snapshot: counted when its page is opened, from its items alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from annotate.exports.forms import Counts
from annotate.models import Snapshot, SnapshotItem
from annotate.models.projects import SCALE_MAXIMUM


@dataclass
class Bar:
    """One line of the histogram."""

    label: str
    train: int = 0
    test: int = 0

    @property
    def total(self) -> int:
        return self.train + self.test


@dataclass(frozen=True)
class SnapshotFacts:
    counts: Counts
    people: int
    prompts: int
    bars: list[Bar]

    @property
    def tallest(self) -> int:
        return max((bar.total for bar in self.bars), default=0)


def describe_snapshot(snapshot: Snapshot) -> SnapshotFacts:
    """Two statements, whatever the snapshot's size."""
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    columns = ("split", *(f"judgement__comparison__{name}" for name in ("points", "preference", "both_bad")))
    bars: dict[tuple[int, int, int], Bar] = {}
    for split, points, preference, both_bad, count in items.values_list(*columns).annotate(count=Count("pk")):
        order, label = strength_label(points, preference, both_bad)
        bar = bars.setdefault(order, Bar(label))
        if split == SnapshotItem.Split.TRAIN:
            bar.train += count
        else:
            bar.test += count
    who = items.aggregate(
        people=Count("judgement__annotator", distinct=True), prompts=Count("judgement__task__prompt", distinct=True)
    )
    ties = bars.get(TIES, Bar("")).total
    both_bad = bars.get(BOTH_BAD, Bar("")).total
    everything = sum(bar.total for bar in bars.values())
    counts = Counts(preferences=everything - ties - both_bad, ties=ties, both_bad=both_bad)
    name_scales(bars)
    return SnapshotFacts(counts=counts, bars=[bars[order] for order in sorted(bars)], **who)


def name_scales(bars: dict[tuple[int, int, int], Bar]) -> None:
    """Say which scale a strength is on, where there are several."""
    scales = {points for group, points, _ in bars if group == 0}
    for (group, points, _), bar in bars.items():
        if group == 0 and len(scales) > 1:
            bar.label += f" ({points} points)"


UNKNOWN, TIES, BOTH_BAD = (1, 0, 0), (2, 0, 0), (3, 0, 0)


def strength_label(points: int | None, preference: int | None, both_bad: bool) -> tuple[tuple[int, int, int], str]:
    """Where an answer stands in the histogram (scales by size, the strongest first) and what it is called there."""
    if both_bad or preference is None:
        return BOTH_BAD, "Both bad"
    if preference == 0:
        return TIES, "Tie"
    if points is None:
        return UNKNOWN, "Strength not known"
    return (0, points, -abs(preference)), f"{abs(preference)} of {SCALE_MAXIMUM[points]}"
