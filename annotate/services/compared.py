"""What people said about two responses of different authors: the rows that a leaderboard is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from annotate.models import Author, Kind, Project, Purpose, QuestionnaireAnswer, QuestionnaireItem, Response
from annotate.models.judgements import Judgement
from annotate.querysets import JudgementQuerySet
from annotate.services.questionnaires import SHOWN_FROM, count_answers

PEOPLE = 0  # stands for every author who is a person: a leaderboard ranks models, not those who work here
MOST = 10_000  # judgements looked at, the newest


class Compared(NamedTuple):
    """Two responses to one prompt and how the first did: 1 preferred, 0 not, ½ a tie or both bad.

    A ranking or rating of K responses gives K(K − 1)/2 rows of weight 1/(K choose 2): it is one judgement.
    """

    judgement: int
    task: int
    prompt: int
    first: int  # a response
    second: int
    first_author: int  # or PEOPLE
    second_author: int
    points: float
    weight: float


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which judgements count: about prompts with this tag, by people with this answer to a background question."""

    tag: str = ""
    item: int | None = None
    answer: str = ""


@dataclass(frozen=True)
class GroupOption:
    """People told apart by an answer of theirs; never fewer than five."""

    item: int
    question: str
    answer: str
    count: int


def judgements_of(project: Project, choice: Choice) -> JudgementQuerySet:
    """What counts in the project and fits the choice; gold, practice and repeats never do."""
    rows = Judgement.objects.of_project(project).final().filter(task__purpose=Purpose.WORK)
    if choice.tag:
        rows = rows.filter(task__prompt__tags__contains=[choice.tag])
    if choice.item:
        people = QuestionnaireAnswer.objects.filter(item=choice.item, answer=choice.answer)
        rows = rows.filter(annotator__in=people.values("user"))
    return rows


def newest_judgements(project: Project, choice: Choice) -> JudgementQuerySet:
    """At most MOST of those that count and compare responses, the newest first."""
    return judgements_of(project, choice).filter(kind__in=READERS).order_by("-pk")[:MOST]


def read_compared(project: Project, choice: Choice) -> tuple[list[Compared], int]:
    """The rows of the newest judgements, oldest first, and how many compared an author with itself and are left out."""
    rows = newest_judgements(project, choice).values_list(
        "pk",
        "task",
        "task__prompt",
        "kind",
        "comparison__first",
        "comparison__second",
        "comparison__preference",
        "ranking__tiers",
        "rating__scores",
        "rating__questions",
    )
    games = [game for row in reversed(rows) for game in READERS[row[3]](row)]
    authors = authors_of({pk for game in games for pk in (game.first, game.second)})
    named = [
        game._replace(first_author=authors[game.first], second_author=authors[game.second])
        for game in games
        if game.first in authors and game.second in authors
    ]
    told = [game for game in named if game.first_author != game.second_author]
    return told, len(named) - len(told)


def authors_of(responses: set[int]) -> dict[int, int]:
    """{response id: its author, PEOPLE for every person}."""
    rows = Response.objects.filter(pk__in=responses).values_list("pk", "author", "author__kind")
    return {pk: PEOPLE if kind == Author.Kind.PERSON else author for pk, author, kind in rows}


def read_comparison(row: tuple[Any, ...]) -> Iterator[Compared]:
    points = 0.5 if not row[6] else float(row[6] < 0)
    yield Compared(row[0], row[1], row[2], row[4], row[5], 0, 0, points, 1.0)


def read_ranking(row: tuple[Any, ...]) -> Iterator[Compared]:
    tier = {pk: number for number, tied in enumerate(row[7]) for pk in tied}
    yield from pairs_of(row, [(pk, -number) for pk, number in tier.items()])


def read_rating(row: tuple[Any, ...]) -> Iterator[Compared]:
    """The first question is the overall one."""
    key = row[9][0]["key"]
    yield from pairs_of(row, [(int(pk), scores[key]) for pk, scores in row[8].items() if key in scores])


def pairs_of(row: tuple[Any, ...], scored: Iterable[tuple[int, float]]) -> Iterator[Compared]:
    pairs = list(combinations(sorted(scored), 2))
    for (first, one), (second, other) in pairs:
        points = 0.5 if one == other else float(one > other)
        yield Compared(row[0], row[1], row[2], first, second, 0, 0, points, 1 / len(pairs))


READERS = {
    Kind.COMPARISON.value: read_comparison,
    Kind.CHAT.value: read_comparison,
    Kind.RANKING.value: read_ranking,
    Kind.RATING.value: read_rating,
}


def group_options(project: Project) -> list[GroupOption]:
    """The groups of at least five people that the background questions tell apart."""
    counts = count_answers(project)
    items = QuestionnaireItem.objects.of_project(project).order_by("position", "pk")
    return [
        GroupOption(item.pk, item.question, found.option, found.count)
        for item in items
        for found in counts.get(item.pk, [])
        if found.option and found.count is not None and found.count >= SHOWN_FROM
    ]
