"""The leaderboard, people's verdict beside a reward model's, and the rows behind each of its figures."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_membership
from annotate.leaderboards.win_rates import WinRate
from annotate.models import JobStatus, Project, Prompt
from annotate.paging import read_number
from annotate.services.compared import Choice, Compared, read_compared
from annotate.services.leaderboards import Leaderboard, Standing, make_leaderboard, name_players, rates_by_tag
from training.evaluation_forms import LeaderboardForm
from training.evaluation_pictures import Bar, bars_of
from training.models import ModelVersion, Scoring
from training.services.reward_rates import RewardSide, measure_rewards
from training.services.scoring import start_scoring

GAMES_SHOWN = 50
WORDS = {1.0: "preferred", 0.0: "not preferred", 0.5: "a tie"}


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    standing: Standing
    bar: Bar
    rewarded: WinRate | None
    same: WinRate | None  # people's, on the comparisons that the reward model knows

    @property
    def gap(self) -> str:
        """The reward model's win rate less people's on the same comparisons, in points of a hundred."""
        if self.rewarded is None or self.same is None:
            return ""
        return f"{100 * (self.rewarded.value - self.same.value):+.0f}".replace("-", "−").replace("+0", "0")


@login_required
@require_GET
def project_leaderboard(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    project = membership.project
    form = LeaderboardForm(project, request.GET)
    context = {"project": project, "membership": membership, "form": form, "here": "leaderboard"}
    if not form.is_valid():
        return render(request, "evaluations/leaderboard.html", context, status=422)
    board = make_leaderboard(project=project, choice=form.chosen(), ties=form.chosen_ties())
    judge = form.chosen_judge()
    side = measure_rewards(judge, board.rows) if judge and board.rows else None
    context |= {
        "board": board,
        "tables": tables_of(board, side),
        "side": side,
        "scoring": Scoring.objects.filter(model=judge, status__in=[JobStatus.QUEUED, JobStatus.RUNNING]).first(),
        "by_tag": by_tag(board, form.tags),
        "tags": form.tags,
        "is_filtered": any(form.cleaned_data.get(name) for name in ("tag", "group")),
        "query": urlencode({name: request.GET[name] for name in ("tag", "group") if request.GET.get(name)}),
    }
    return render(request, "evaluations/leaderboard.html", context)


def tables_of(board: Leaderboard, side: RewardSide | None) -> list[dict[str, object]]:
    """A table for each league, its lines with their bars and rewards."""
    tables: list[dict[str, object]] = []
    for league in board.leagues:
        bars = bars_of(league)
        rates, people = (side.rates, side.people) if side else ({}, {})
        lines = [Line(one, bars[one.key], rates.get(one.key), people.get(one.key)) for one in league.standings]
        tables.append({"league": league, "lines": lines})
    return tables


def by_tag(board: Leaderboard, tags: list[str]) -> list[tuple[Standing, list[WinRate | None]]]:
    rates = rates_by_tag(board, tags) if tags and board.leagues else {}
    return [(one, rates[one.key]) for league in board.leagues for one in league.standings if one.key in rates]


@login_required
@require_GET
def leaderboard_games(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The comparisons of one author, `?author=`, newest first."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    project = membership.project
    form = LeaderboardForm(project, request.GET)
    key, page = (read_number(request.GET.get(name)) for name in ("author", "page"))
    rows, _ = read_compared(project, form.chosen() if form.is_valid() else Choice())
    own = [row for row in reversed(rows) if key in (row.first_author, row.second_author)]
    shown = own[page * GAMES_SHOWN : (page + 1) * GAMES_SHOWN]
    kept = {name: request.GET[name] for name in ("author", "tag", "group") if request.GET.get(name)}
    context = {
        "project": project,
        "membership": membership,
        "here": "leaderboard",
        "name": name_players(project, [key]).get(key, ""),
        "games": describe_games(project, shown, key),
        "count": len(own),
        "newer_url": "?" + urlencode({**kept, "page": page - 1}) if page else "",
        "older_url": "?" + urlencode({**kept, "page": page + 1}) if len(own) > (page + 1) * GAMES_SHOWN else "",
    }
    return render(request, "evaluations/games.html", context, status=200 if form.is_valid() else 422)


def describe_games(project: Project, rows: list[Compared], key: int) -> list[dict[str, object]]:
    prompts = Prompt.objects.of_project(project).in_bulk({row.prompt for row in rows})
    others = {row.second_author if row.first_author == key else row.first_author for row in rows}
    names = name_players(project, sorted(others))
    return [
        {
            "row": row,
            "prompt": prompts[row.prompt],
            "said": WORDS[row.points if row.first_author == key else 1 - row.points],
            "other": names[row.second_author if row.first_author == key else row.first_author],
        }
        for row in rows
    ]


@login_required
@require_POST
def leaderboard_score(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    rewards = ModelVersion.objects.of_project(membership.project).filter(kind=ModelVersion.Kind.REWARD)
    judge = get_object_or_404(rewards, pk=read_number(request.POST.get("judge")))
    scoring = start_scoring(project=membership.project, user=membership.user, model=judge)
    messages.success(request, f"“{judge}” is scoring {scoring.total:,} responses. Their figures appear here.")
    return redirect("project-leaderboard", project_id)
