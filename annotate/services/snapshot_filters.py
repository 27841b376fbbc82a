"""Which judgements a snapshot takes: a filter that can be stored, compared and applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Q

from annotate.models import Judgement, Kind, Project, Purpose
from annotate.models.tasks import EVALUATION_KEYS
from annotate.querysets import JudgementQuerySet

HALVES = ("", "first", "second")
MIDDLE_HASH = "8"  # half of all hexadecimal hashes are below it


class FilterError(ValueError):
    """A filter that cannot be used; the message names the field and the value."""


@dataclass(frozen=True, kw_only=True)
class SnapshotFilter:
    """Empty lists and None mean "all". Days are inclusive, in UTC. `annotators` are user ids. `half` is "first" or
    "second": prompts by the first bit of their hash, so that two snapshots share none.

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

    def to_json(self) -> dict[str, Any]:
        """What is stored: lists sorted, days as ISO text, so that equal filters are equal JSON."""
        values = {name: sorted(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        for name in ("half", "include_evaluations"):
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
        return [*parts, "with evaluations of models"] if self.include_evaluations else parts


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
    if name == "half":
        if value not in HALVES:
            raise FilterError(f"The filter half is {value!r}; it must be first, second or empty.")
        return value
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise FilterError(f"The filter {name} is {value!r}; it must be a list.")
    kind = int if name == "annotators" else str
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
    """What counts in the project (see `final`) and the filter takes; only tasks of work, never gold or practice."""
    found = Judgement.objects.of_project(project).final().filter(task__purpose=Purpose.WORK)
    wanted = Q()
    if chosen.kinds:
        wanted &= Q(kind__in=chosen.kinds)
    if chosen.since:
        wanted &= Q(created_at__gte=datetime.combine(chosen.since, time.min, UTC))
    if chosen.until:
        wanted &= Q(created_at__lte=datetime.combine(chosen.until, time.max, UTC))
    if chosen.tags:
        wanted &= Q(task__prompt__tags__overlap=list(chosen.tags))
    if chosen.sources:
        wanted &= Q(task__prompt__source__in=chosen.sources)
    if chosen.annotators:
        wanted &= Q(annotator_id__in=chosen.annotators)
    if not chosen.include_ties:
        wanted &= ~Q(comparison__preference=0)
    if not chosen.include_imported:
        wanted &= Q(annotator__isnull=False)
    if not chosen.include_surplus:
        wanted &= Q(is_surplus=False)
    if not chosen.include_evaluations:
        wanted &= ~Q(task__key__startswith=EVALUATION_KEYS)
    if chosen.half:
        below = Q(task__prompt__content_hash__lt=MIDDLE_HASH)
        wanted &= below if chosen.half == "first" else ~below
    return found.filter(wanted)
