"""What a reward model gets right of comparisons: in all, and by strength, category, length and who judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from training.algorithms.calibration import calibrate, histogram
from training.algorithms.metrics import mean, wilson_interval

MOST_TAGS, FEWEST = 12, 5  # rows of a table, pairs of a row
GAPS = (
    (0.5, "Less than half as long"),
    (0.9, "Shorter"),
    (1.1, "About as long"),
    (2.0, "Longer"),
    (float("inf"), "More than twice as long"),
)


class Pair(Protocol):
    """What is read of a comparison."""

    @property
    def strength(self) -> float | None: ...
    @property
    def tie(self) -> bool: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def annotator(self) -> int | None: ...
    @property
    def gap(self) -> float: ...


@dataclass(frozen=True)
class Scored:
    pair: Pair
    chosen: float
    rejected: float

    @property
    def lead(self) -> float:
        return self.chosen - self.rejected


def describe_pairs(scored: Sequence[Scored], groups: Mapping[str, set[int]]) -> dict[str, Any]:
    """The figures under the names that a run's evaluation has for them, and tables: {"title", "rows"}."""
    pairs, ties = [one for one in scored if not one.pair.tie], [abs(one.lead) for one in scored if one.pair.tie]
    leads = [one.lead for one in pairs]
    right = share_right(leads)
    low, high = wilson_interval(right * len(leads), len(leads))
    return {
        "accuracy": right,
        "accuracy_low": low,
        "accuracy_high": high,
        "pairs": len(pairs),
        "ties": len(ties),
        "tie_margin": mean(ties) if ties else None,
        "margin": mean(leads),
        "longer_wins": mean([0.5 if one.pair.gap == 1 else float(one.pair.gap > 1) for one in pairs]),
        "by_strength": by_strength(pairs),
        **calibrate(leads),
        "margin_histogram": histogram(leads),
        "tables": [
            {"title": "By category", "rows": by_tag(pairs)},
            {"title": "By the chosen response's length beside the other's", "rows": by_gap(pairs)},
            {"title": "By who judged", "rows": by_group(pairs, groups)},
        ],
    }


def share_right(leads: Sequence[float]) -> float:
    """Equal scores are half right."""
    return mean([0.5 if lead == 0 else float(lead > 0) for lead in leads])


def accuracy_row(name: str, leads: Sequence[float]) -> dict[str, Any]:
    """A row of a table, with its 95 % interval; no share where there is no pair."""
    right = share_right(leads) if leads else None
    low, high = wilson_interval((right or 0.0) * len(leads), len(leads))
    return {"name": name, "pairs": len(leads), "right": right, "low": low, "high": high}


def by_strength(pairs: Sequence[Scored]) -> dict[str, dict[str, float]]:
    found: dict[float, list[float]] = {}
    for one in pairs:
        if one.pair.strength is not None:
            found.setdefault(round(one.pair.strength, 3), []).append(one.lead)
    return {f"{key:g}": {"pairs": len(found[key]), "accuracy": share_right(found[key])} for key in sorted(found)}


def by_tag(pairs: Sequence[Scored]) -> list[dict[str, Any]]:
    """The most frequent tags first; a pair counts under each of its prompt's tags."""
    found: dict[str, list[float]] = {}
    for one in pairs:
        for tag in one.pair.tags:
            found.setdefault(tag, []).append(one.lead)
    frequent = sorted(found, key=lambda tag: (-len(found[tag]), tag))[:MOST_TAGS]
    return [accuracy_row(tag, found[tag]) for tag in frequent if len(found[tag]) >= FEWEST]


def by_gap(pairs: Sequence[Scored]) -> list[dict[str, Any]]:
    found: dict[str, list[float]] = {name: [] for _, name in GAPS}
    for one in pairs:
        found[next(name for most, name in GAPS if one.pair.gap <= most)].append(one.lead)
    return [accuracy_row(name, leads) for name, leads in found.items() if leads]


def by_group(pairs: Sequence[Scored], groups: Mapping[str, set[int]]) -> list[dict[str, Any]]:
    rows = [
        accuracy_row(name, [one.lead for one in pairs if one.pair.annotator in members])
        for name, members in groups.items()
    ]
    imported = [one.lead for one in pairs if one.pair.annotator is None]
    rows += [accuracy_row("Judged elsewhere and imported", imported)] if imported else []
    return [row for row in rows if row["pairs"] >= FEWEST]
