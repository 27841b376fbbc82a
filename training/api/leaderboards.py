"""The leaderboard: who was preferred to whom, people's verdict beside a reward model's, and the rows behind."""

from __future__ import annotations

from typing import Any

from annotate.access import REVIEWERS
from annotate.api.operations import Call, operation
from annotate.api.paging import Page
from annotate.api.problems import Invalid
from annotate.leaderboards.bradley_terry import DAVIDSON, HALF, RAO_KUPPER
from annotate.models import Scope
from annotate.services.compared import Compared, read_compared
from annotate.services.leaderboards import Leaderboard, make_leaderboard
from training.api.serializers.leaderboards import (
    GameSerializer,
    GamesQuery,
    LeaderboardQuery,
    LeaderboardSerializer,
)
from training.evaluation_forms import LeaderboardForm
from training.services.reward_rates import RewardSide, measure_rewards

FORM_TIES = {RAO_KUPPER: "", DAVIDSON: DAVIDSON, HALF: HALF}


def read_form(call: Call) -> LeaderboardForm:
    """What the page's form makes of the query. Raises Invalid."""
    form = LeaderboardForm(call.project, {**call.query, "ties": FORM_TIES[call.query["ties"]]})
    if not form.is_valid():
        raise Invalid({name: list(map(str, found)) for name, found in form.errors.items()})
    return form


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=LeaderboardQuery, answer=LeaderboardSerializer)
def show_leaderboard(call: Call) -> dict[str, Any]:
    """Who was preferred to whom, by how much, and how sure that is."""
    form = read_form(call)
    board = make_leaderboard(project=call.project, choice=form.chosen(), ties=form.chosen_ties())
    judge = form.chosen_judge()
    side = measure_rewards(judge, board.rows) if judge and board.rows else None
    return {
        "leagues": describe(board, side),
        "with_itself": board.with_itself,
        "is_cut": board.is_cut,
        "judge": judge.pk if judge else None,
        "agreement": side.agreement if side else None,
        "scored": side.scored if side else 0,
        "pairs": side.pairs if side else len(board.rows),
    }


def describe(board: Leaderboard, side: RewardSide | None) -> list[dict[str, Any]]:
    rates, people = (side.rates, side.people) if side else ({}, {})
    return [
        {
            "lines": [
                {"standing": one, "rewarded": rates.get(one.key), "same": people.get(one.key)}
                for one in league.standings
            ],
            "style": league.style,
            "comparisons": league.comparisons,
            "is_held": league.is_held,
        }
        for league in board.leagues
    ]


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=GamesQuery, answer=GameSerializer, paged=True)
def list_games(call: Call) -> Page:
    """The comparisons behind an author's place, newest first."""
    form, author = read_form(call), call.query["author"]
    rows, _ = read_compared(call.project, form.chosen())
    own = [row for row in reversed(rows) if author in (row.first_author, row.second_author)]
    begin, limit = call.query.get("cursor", 0), call.query["limit"]
    shown = own[begin : begin + limit]
    return Page([seen_from(row, author) for row in shown], begin + limit if len(own) > begin + limit else None)


def seen_from(row: Compared, author: int) -> dict[str, Any]:
    is_first = row.first_author == author
    return {
        **{name: getattr(row, name) for name in ("judgement", "task", "prompt", "weight")},
        "response": row.first if is_first else row.second,
        "against": row.second if is_first else row.first,
        "other": row.second_author if is_first else row.first_author,
        "points": row.points if is_first else 1 - row.points,
    }
