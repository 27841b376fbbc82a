"""The leaderboard of a project: who was preferred to whom, by how much, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.leaderboards.bootstrap import PRIOR, bootstrap_intervals
from annotate.leaderboards.bradley_terry import fit_scores
from annotate.leaderboards.games import Games, are_linked, leagues, make_games, tally
from annotate.leaderboards.style import FEATURES, Controlled, fit_controlled, style_gaps, style_of
from annotate.leaderboards.win_rates import WinRate, measure_win_rate
from annotate.models import Author, Project, Prompt, Response
from annotate.quality.agreement import Z95
from annotate.services.compared import MOST, PEOPLE, Choice, Compared, read_compared
from annotate.services.leaderboard_cache import keep, key_of, recall

SAMPLES, SEED = 400, 0
POINTS = 400 / math.log(10)  # 400 points more are odds of ten to one, as in chess
AVERAGE = 1000
STYLE_NEEDS = 30  # comparisons before style can be told from substance
TAGS_SHOWN = 8


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """An author's place; `rank` is 1 + the number of those who are surely better. Scores are about 1,000, and 100
    points more mean preferred 64 times of 100."""

    key: int
    name: str
    rank: int
    score: Interval
    controlled: Interval | None
    rate: WinRate


@dataclass(frozen=True)
class StyleWeight:
    """How often a response that differs by as much as is typical, in this alone, is preferred."""

    feature: str
    share: Interval


@dataclass(frozen=True)
class League:
    """Authors who were compared with each other, directly or through others. `is_held` when a drawn game each was
    added, because somebody never lost or never won; `helped` as in `bootstrap.Intervals`."""

    standings: list[Standing]
    style: list[StyleWeight]
    comparisons: int
    is_held: bool
    helped: float


@dataclass(frozen=True)
class Leaderboard:
    leagues: list[League]
    rows: list[Compared]
    with_itself: int  # comparisons of two responses by one author, left out
    is_cut: bool


def make_leaderboard(*, project: Project, choice: Choice, ties: str) -> Leaderboard:
    """The leaderboard over the newest 10,000 judgements that fit, worked out once: one statement from then on."""
    key = key_of(project, choice, ties)
    found: Leaderboard | None = recall(key)
    if found is None:
        found = work_out(project, choice, ties)
        keep(key, found)
    return found


def work_out(project: Project, choice: Choice, ties: str) -> Leaderboard:
    """Seven statements."""
    rows, with_itself = read_compared(project, choice)
    players = sorted({key for row in rows for key in (row.first_author, row.second_author)})
    names = name_players(project, players)
    games = as_games(rows, players)
    gaps = gaps_of(rows)
    found = [make_league(games, gaps, members, players, names, ties) for members in leagues(games)]
    return Leaderboard(found, rows, with_itself, len({row.judgement for row in rows}) + with_itself >= MOST)


def name_players(project: Project, players: Sequence[int]) -> dict[int, str]:
    names = dict(Author.objects.of_project(project).filter(pk__in=players).values_list("pk", "name"))
    return {**names, PEOPLE: "What people wrote"}


def as_games(rows: Sequence[Compared], players: Sequence[int]) -> Games:
    place = {key: number for number, key in enumerate(players)}
    return make_games(
        len(players),
        [place[row.first_author] for row in rows],
        [place[row.second_author] for row in rows],
        [row.points for row in rows],
        weights=[row.weight for row in rows],
        clusters=[row.prompt for row in rows],
    )


def gaps_of(rows: Sequence[Compared]) -> np.ndarray:
    ids = {pk for row in rows for pk in (row.first, row.second)}
    texts = Response.objects.filter(pk__in=ids).values_list("pk", "text").iterator(chunk_size=1000)
    styles = {pk: style_of(text) for pk, text in texts}
    return style_gaps([styles[row.first] for row in rows], [styles[row.second] for row in rows])


def make_league(
    games: Games, gaps: np.ndarray, members: list[int], players: Sequence[int], names: dict[int, str], ties: str
) -> League:
    inside = np.isin(games.first, members)
    own = renumber(games.where(inside), members)
    wins, tied = tally(own)
    is_held = not bool(are_linked(wins, tied))
    prior = PRIOR if is_held else 0.0
    fit = fit_scores(wins, tied, model=ties, prior=prior)
    sure = bootstrap_intervals(own, model=ties, prior=prior, samples=SAMPLES, seed=SEED)
    count = len(own.points)
    controlled = fit_controlled(own, gaps[inside]) if count >= STYLE_NEEDS and not is_held else None
    scores = [Interval(*map(on_scale, ends)) for ends in zip(fit.scores, sure.low, sure.high, strict=True)]
    standings = [
        Standing(
            key=players[member],
            name=names[players[member]],
            rank=1 + sum(other.low > score.high for other in scores),
            score=score,
            controlled=controlled_score(controlled, place),
            rate=rate_of(own, place),
        )
        for place, (member, score) in enumerate(zip(members, scores, strict=True))
    ]
    standings.sort(key=lambda standing: -standing.score.value)
    return League(standings, style_weights(controlled), count, is_held, sure.helped)


def renumber(games: Games, members: list[int]) -> Games:
    place = np.zeros(games.players, dtype=np.int64)
    place[members] = np.arange(len(members))
    return Games(
        players=len(members),
        first=place[games.first],
        second=place[games.second],
        points=games.points,
        weights=games.weights,
        clusters=games.clusters,
    )


def on_scale(score: float) -> float:
    return AVERAGE + POINTS * float(score)


def controlled_score(controlled: Controlled | None, place: int) -> Interval | None:
    if controlled is None:
        return None
    score, error = controlled.scores[place], controlled.errors[place]
    return Interval(on_scale(score), on_scale(score - Z95 * error), on_scale(score + Z95 * error))


def style_weights(controlled: Controlled | None) -> list[StyleWeight]:
    if controlled is None:
        return []
    found = zip(FEATURES, controlled.weights, controlled.weight_errors, strict=True)
    return [
        StyleWeight(feature, Interval(*(chance(weight + side * Z95 * error) for side in (0, -1, 1))))
        for feature, weight, error in found
        if not np.isnan(weight)
    ]


def chance(odds: float) -> float:
    return float(1 / (1 + np.exp(-odds)))


def rate_of(games: Games, place: int) -> WinRate:
    as_first, as_second = games.first == place, games.second == place
    points = float(games.points[as_first].sum() + (1 - games.points[as_second]).sum())
    rate = measure_win_rate(points, int(as_first.sum() + as_second.sum()))
    assert rate is not None  # whoever is in a league has been compared
    return rate


def common_tags(project: Project) -> list[str]:
    """The tags of most prompts, at most eight."""
    counts: Counter[str] = Counter()
    for tags in Prompt.objects.of_project(project).exclude(tags=[]).values_list("tags", flat=True)[:MOST]:
        counts.update(tags)
    return [tag for tag, _ in counts.most_common(TAGS_SHOWN)]


def rates_by_tag(board: Leaderboard, tags: Sequence[str]) -> dict[int, list[WinRate | None]]:
    """{author: the win rate on the prompts of each tag, in their order}."""
    prompts = Prompt.objects.filter(pk__in={row.prompt for row in board.rows}, tags__overlap=list(tags))
    tagged = dict(prompts.values_list("pk", "tags"))
    points: dict[tuple[int, str], float] = defaultdict(float)
    counts: Counter[tuple[int, str]] = Counter()
    for row in board.rows:
        for tag in tagged.get(row.prompt, []):
            for key, won in ((row.first_author, row.points), (row.second_author, 1 - row.points)):
                points[key, tag] += won
                counts[key, tag] += 1
    keys = {standing.key for league in board.leagues for standing in league.standings}
    return {key: [measure_win_rate(points[key, tag], counts[key, tag]) for tag in tags] for key in keys}
