"""What is in a finished snapshot: counted when its page is opened, from its items alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from annotate.models import Kind, Snapshot, SnapshotItem
from annotate.models.projects import SCALE_MAXIMUM


@dataclass
class Bar:
    """One line of a histogram."""

    label: str
    train: int = 0
    test: int = 0

    @property
    def total(self) -> int:
        return self.train + self.test

    def add(self, split: str, count: int) -> None:
        if split == SnapshotItem.Split.TRAIN:
            self.train += count
        else:
            self.test += count


@dataclass(frozen=True)
class SnapshotFacts:
    """`kinds` has a line for each kind of judgement there is, `bars` one for each strength of a comparison."""

    people: int
    prompts: int
    kinds: list[Bar]
    bars: list[Bar]

    @property
    def tallest(self) -> int:
        return max((bar.total for bar in self.bars), default=0)


def describe_snapshot(snapshot: Snapshot) -> SnapshotFacts:
    """Three statements, whatever the snapshot's size."""
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    who = items.aggregate(
        people=Count("judgement__annotator", distinct=True), prompts=Count("judgement__task__prompt", distinct=True)
    )
    return SnapshotFacts(kinds=count_kinds(items), bars=count_strengths(items), **who)


def count_kinds(items: QuerySet[SnapshotItem]) -> list[Bar]:
    bars = {kind: Bar(str(kind.label)) for kind in Kind}
    for kind, split, count in items.values_list("judgement__kind", "split").annotate(count=Count("pk")):
        bars[Kind(kind)].add(split, count)
    return [bar for bar in bars.values() if bar.total]


def count_strengths(items: QuerySet[SnapshotItem]) -> list[Bar]:
    columns = ("split", *(f"judgement__comparison__{name}" for name in ("points", "preference", "both_bad")))
    compared = items.filter(judgement__comparison__isnull=False)
    bars: dict[tuple[int, int, int], Bar] = {}
    for split, points, preference, both_bad, count in compared.values_list(*columns).annotate(count=Count("pk")):
        order, label = strength_label(points, preference, both_bad)
        bars.setdefault(order, Bar(label)).add(split, count)
    name_scales(bars)
    return [bars[order] for order in sorted(bars)]


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
