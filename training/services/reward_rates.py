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
    responses; `agreement` is how often it prefers what people preferred, their ties apart."""

    judge: ModelVersion
    rates: dict[int, WinRate]
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
    points: dict[int, float] = defaultdict(float)
    counts: Counter[int] = Counter()
    known = [row for row in rows if row.first in scores and row.second in scores]
    decided = same = 0
    for row in known:
        gap = scores[row.first] - scores[row.second]
        won = 0.5 if not gap else float(gap > 0)
        for key, its in ((row.first_author, won), (row.second_author, 1 - won)):
            points[key] += its
            counts[key] += 1
        decided += row.points != 0.5
        same += row.points != 0.5 and row.points == won
    rates = {key: measure_win_rate(points[key], count) for key, count in counts.items()}
    return RewardSide(
        judge=judge,
        rates={key: rate for key, rate in rates.items() if rate},
        scored=len(known),
        pairs=len(rows),
        agreement=measure_share(same, decided),
    )
