"""What a reward model says of the very pairs that people compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from annotate.leaderboards.win_rates import WinRate, measure_win_rate
from annotate.quality.agreement import Share, measure_share
from annotate.services.compared import Compared
from training.models import ModelVersion, ResponseScore


@dataclass(frozen=True)
class RewardSide:
    """`rates` are the win rates of each author by rewards, over the `scored` of `pairs` of which the model knows both
    responses, and `people` those by people over the same; `agreement` is how often it prefers what people preferred,
    their ties apart."""

    judge: ModelVersion
    rates: dict[int, WinRate]
    people: dict[int, WinRate]
    scored: int
    pairs: int
    agreement: Share | None

    @property
    def missing(self) -> int:
        return self.pairs - self.scored


def measure_rewards(judge: ModelVersion, rows: Sequence[Compared]) -> RewardSide:
    """The reward model's side of these comparisons, from the scores that are stored; one statement."""
    ids = {pk for row in rows for pk in (row.first, row.second)}
    scores = dict(ResponseScore.objects.filter(model=judge, response__in=ids).values_list("response", "mean"))
    known = [row for row in rows if row.first in scores and row.second in scores]
    said = [points_of(scores[row.first] - scores[row.second]) for row in known]
    decided = [(row.points, points) for row, points in zip(known, said, strict=True) if row.points != 0.5]
    return RewardSide(
        judge=judge,
        rates=rates_of(known, said),
        people=rates_of(known, [row.points for row in known]),
        scored=len(known),
        pairs=len(rows),
        agreement=measure_share(sum(people == rewards for people, rewards in decided), len(decided)),
    )


def points_of(gap: float) -> float:
    return 0.5 if not gap else float(gap > 0)


def rates_of(rows: Sequence[Compared], points: Sequence[float]) -> dict[int, WinRate]:
    """{author: win rate}, where `points` are those of the first of each row."""
    sums: dict[int, float] = defaultdict(float)
    counts: Counter[int] = Counter()
    for row, won in zip(rows, points, strict=True):
        for key, its in ((row.first_author, won), (row.second_author, 1 - won)):
            sums[key] += its
            counts[key] += 1
    rates = {key: measure_win_rate(sums[key], count) for key, count in counts.items()}
    return {key: rate for key, rate in rates.items() if rate}
