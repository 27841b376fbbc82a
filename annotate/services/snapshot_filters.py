"""Which judgements a snapshot takes: a filter that can be stored, compared and applied."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Avg, BooleanField, Case, Count, Exists, F, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Greatest

from annotate.models import Judgement, Kind, Project, Purpose, TaskResponse
from annotate.models.tasks import EVALUATION_KEYS
from annotate.querysets import JudgementQuerySet
from annotate.services.consensus import MAJORITY, POSTERIOR

CHOICES = {"half": ("", "first", "second"), "consensus": ("", MAJORITY, POSTERIOR)}
SHARES = ("min_agreement", "min_gold")
LATER = (  # filters that came after others had been stored: not mentioned where they do nothing
    "half",
    "include_evaluations",
    "authors",
    "without_flags",
    "min_agreement",
    "min_answers",
    "min_gold",
    "include_gold",
    "consensus",
)
FLAG_PATH = "$.*[*] ? (@ == $flag)"
HALF_A_PERCENT = 0.005  # so that two of three are 67 per cent
MIDDLE_HASH = "8"  # half of all hexadecimal hashes are below it


class FilterError(ValueError):
    """A filter that cannot be used; the message names the field and the value."""


@dataclass(frozen=True, kw_only=True)
class SnapshotFilter:
    """Empty lists and None mean "all". Days are inclusive, in UTC. `annotators` are user ids. `half` is "first" or
    "second": prompts by the first bit of their hash, so that two snapshots share none.

    `authors` takes judgements about a response by any of them (ids), `without_flags` leaves out those that gave one of
    these to a response. `min_agreement` is the share of a task's comparisons that say the same, `min_answers` how many
    judgements a task has, `min_gold` the share of gold that a person gets right; who has answered none is not left out.
    `consensus` is "majority" or "posterior": one comparison stands for all of a task (services/consensus.py).

    Undone and superseded judgements are never taken, whatever the filter. What people said in evaluations of models is
    left out unless asked for: a model trained on it could no longer be evaluated on those prompts.
    """

    kinds: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    tags: tuple[str, ...] = ()
    annotators: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    include_ties: bool = True
    include_imported: bool = True
    include_surplus: bool = True
    include_evaluations: bool = False
    half: str = ""
    authors: tuple[int, ...] = ()
    without_flags: tuple[str, ...] = ()
    min_agreement: float = 0.0
    min_answers: int = 0
    min_gold: float = 0.0
    include_gold: bool = False
    consensus: str = ""

    def to_json(self) -> dict[str, Any]:
        """What is stored: lists sorted, days as ISO text, so that equal filters are equal JSON."""
        values = {name: sorted(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        for name in LATER:
            if not values[name]:
                del values[name]  # as stored before there was such a thing
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}

    def describe(self) -> list[str]:
        """The filter in words, one phrase a restriction; empty when it takes everything."""
        parts = []
        if self.kinds:
            parts.append(", ".join(str(Kind(kind).label) for kind in self.kinds))
        if self.since:
            parts.append(f"from {self.since:%-d %B %Y}")
        if self.until:
            parts.append(f"to {self.until:%-d %B %Y}")
        if self.tags:
            parts.append(f"prompts tagged {', '.join(self.tags)}")
        if self.sources:
            parts.append(f"prompts from {', '.join(self.sources)}")
        if self.half:
            parts.append(f"the {self.half} half of the prompts")
        if self.annotators:
            parts.append(f"by {len(self.annotators)} chosen {'person' if len(self.annotators) == 1 else 'people'}")
        left_out = {"ties": self.include_ties, "imported": self.include_imported, "surplus": self.include_surplus}
        parts += [f"without {name}" for name, included in left_out.items() if not included]
        return [*parts, *self.describe_quality()]

    def describe_quality(self) -> list[str]:
        """What is asked of the answers themselves, in words."""
        said = {
            "with evaluations of models": self.include_evaluations,
            "with gold": self.include_gold,
            f"about {len(self.authors)} chosen author{'s' * (len(self.authors) > 1)}": self.authors,
            f"without what was flagged {', '.join(self.without_flags)}": self.without_flags,
            f"tasks with at least {self.min_answers} answers": self.min_answers,
            f"comparisons that at least {self.min_agreement:.0%} agree on": self.min_agreement,
            f"people who get at least {self.min_gold:.0%} of gold right": self.min_gold,
            "the majority of each task": self.consensus == MAJORITY,
            "the most probable answer to each task, weighted": self.consensus == POSTERIOR,
        }
        return [words for words, is_asked in said.items() if is_asked]


def parse_filters(values: Mapping[str, Any]) -> SnapshotFilter:
    """A filter from stored or hand-written values. Raises FilterError naming the field and the value."""
    known = {part.name for part in fields(SnapshotFilter)}
    for name in values:
        if name not in known:
            raise FilterError(f"There is no snapshot filter {name!r}. Choose from: {', '.join(sorted(known))}.")
    given = {name: parse_value(name, value) for name, value in values.items() if value is not None}
    parsed = SnapshotFilter(**given)
    if parsed.since and parsed.until and parsed.since > parsed.until:
        raise FilterError(f"The filter starts on {parsed.since} and ends before that, on {parsed.until}.")
    return parsed


def parse_value(name: str, value: Any) -> Any:
    if name in ("since", "until"):
        return parse_day(name, value)
    if name.startswith("include_"):
        if not isinstance(value, bool):
            raise FilterError(f"The filter {name} is {value!r}; it must be true or false.")
        return value
    if name in CHOICES:
        return parse_choice(name, value)
    if name in SHARES:
        return parse_share(name, value)
    if name == "min_answers":
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise FilterError(f"The filter min_answers is {value!r}; it must be a whole number from 0 on.")
        return value
    return parse_list(name, value)


def parse_choice(name: str, value: Any) -> Any:
    if value not in CHOICES[name]:
        words = ", ".join(filter(None, CHOICES[name]))
        raise FilterError(f"The filter {name} is {value!r}; it must be {words} or empty.")
    return value


def parse_share(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise FilterError(f"The filter {name} is {value!r}; it must be a share from 0 to 1.")
    return float(value)


def parse_list(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise FilterError(f"The filter {name} is {value!r}; it must be a list.")
    kind = int if name in ("annotators", "authors") else str
    for entry in value:
        if not isinstance(entry, kind) or isinstance(entry, bool):
            raise FilterError(f"The filter {name} holds {entry!r}; its entries are {kind.__name__}.")
        if name == "kinds" and entry not in Kind.values:
            raise FilterError(f"There is no kind of judgement {entry!r}. Choose from: {', '.join(Kind.values)}.")
    return tuple(sorted(set(value)))


def parse_day(name: str, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise FilterError(f"The filter {name} is {value!r}; write a day as 2026-03-31.") from error


def matching_judgements(project: Project, chosen: SnapshotFilter) -> JudgementQuerySet:
    """What counts in the project (see `final`) and the filter takes; of gold only when asked, never of practice.

    Where there is a consensus rule, these are the judgements it is reached from.
    """
    found = Judgement.objects.of_project(project).final()
    purposes = [Purpose.WORK, Purpose.GOLD] if chosen.include_gold else [Purpose.WORK]
    wanted = wanted_prompts(chosen) & wanted_answers(chosen) & Q(task__purpose__in=purposes)
    return found.filter(wanted & wanted_quality(project, chosen))


def wanted_prompts(chosen: SnapshotFilter) -> Q:
    wanted = Q()
    if chosen.tags:
        wanted &= Q(task__prompt__tags__overlap=list(chosen.tags))
    if chosen.sources:
        wanted &= Q(task__prompt__source__in=chosen.sources)
    if chosen.half:
        below = Q(task__prompt__content_hash__lt=MIDDLE_HASH)
        wanted &= below if chosen.half == "first" else ~below
    if not chosen.include_evaluations:
        wanted &= ~Q(task__key__startswith=EVALUATION_KEYS)
    return wanted


def wanted_answers(chosen: SnapshotFilter) -> Q:
    wanted = Q()
    if chosen.kinds:
        wanted &= Q(kind__in=chosen.kinds)
    if chosen.since:
        wanted &= Q(created_at__gte=datetime.combine(chosen.since, time.min, UTC))
    if chosen.until:
        wanted &= Q(created_at__lte=datetime.combine(chosen.until, time.max, UTC))
    if chosen.annotators:
        wanted &= Q(annotator_id__in=chosen.annotators)
    if not chosen.include_ties:
        wanted &= ~Q(comparison__preference=0)
    if not chosen.include_imported:
        wanted &= Q(annotator__isnull=False)
    if not chosen.include_surplus:
        wanted &= Q(is_surplus=False)
    return wanted


def wanted_quality(project: Project, chosen: SnapshotFilter) -> Q:
    wanted = Q()
    if chosen.authors:
        by_them = TaskResponse.objects.filter(task=OuterRef("task"), response__author__in=chosen.authors)
        wanted &= Q(Exists(by_them))
    for flag in chosen.without_flags:
        wanted &= ~Q(GaveFlag(F("flags"), Value(FLAG_PATH), Value(json.dumps({"flag": flag}))))
    if chosen.min_answers:
        wanted &= Q(task__in=tasks_with_answers(project, chosen.min_answers))
    if chosen.min_agreement:
        wanted &= Q(comparison=None) | Q(task__in=tasks_agreed_on(project, chosen.min_agreement))
    if chosen.min_gold:
        wanted &= ~Q(annotator__in=gold_below(project, chosen.min_gold))
    return wanted


class GaveFlag(Func):
    """Whether any response was given the flag."""

    function = "jsonb_path_exists"
    arity = 3
    output_field = BooleanField()


def tasks_with_answers(project: Project, least: int) -> QuerySet[Judgement, Any]:
    tasks = Judgement.objects.of_project(project).final().values("task")
    return tasks.annotate(answers=Count("pk")).filter(answers__gte=least).values("task")


def tasks_agreed_on(project: Project, share: float) -> QuerySet[Judgement, Any]:
    """Those of whose comparisons this share says what most say."""
    says = {"first": Q(comparison__preference__lt=0), "second": Q(comparison__preference__gt=0)}
    says |= {"tie": Q(comparison__preference=0), "bad": Q(comparison__both_bad=True)}
    compared = Judgement.objects.of_project(project).final().filter(comparison__isnull=False).values("task")
    most = Greatest(*(Count("pk", filter=said) for said in says.values()))
    return (
        compared.annotate(most=most, enough=Count("pk") * Value(share - HALF_A_PERCENT))
        .filter(most__gte=F("enough"))
        .values("task")
    )


def gold_below(project: Project, share: float) -> QuerySet[Judgement, Any]:
    """Who gets less than this share of gold right."""
    gold = Judgement.objects.of_project(project).answers().filter(task__purpose=Purpose.GOLD)
    known = gold.filter(matches_agreed__isnull=False, annotator__isnull=False).values("annotator")
    right = Avg(Case(When(matches_agreed=True, then=1.0), default=0.0))
    return known.annotate(right=right).filter(right__lt=share).values("annotator")
