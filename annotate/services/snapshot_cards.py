"""A snapshot's data card: what is in it, who said it, how far they agree, and what it does not tell. Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from annotate.exports.pseudonyms import pseudonym
from annotate.models import Author, Comparison, Judgement, Kind, Snapshot, SnapshotItem
from annotate.quality.agreement import Agreement, measure_agreement
from annotate.services.snapshot_filters import parse_filters

MOST_PEOPLE = 100  # named one by one
FEW_PEOPLE = 5
ONE_VOICE = 0.5  # of all judgements by one person
SAYS = {
    "first": Q(preference__lt=0),
    "second": Q(preference__gt=0),
    "tie": Q(preference=0),
    "both_bad": Q(both_bad=True),
}


@dataclass(frozen=True)
class Person:
    name: str
    judgements: int


def write_card(snapshot: Snapshot) -> str:
    """The card; the same text for the same snapshot. Seven statements, whatever its size."""
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    people = count_people(snapshot, items)
    agreement = measure_snapshot(snapshot)
    parts = [
        f"# {snapshot.name}",
        describe_whole(snapshot, items),
        "## Kinds of judgement",
        table(("Kind", "Judgements"), count_by(items, "judgement__kind", lambda kind: str(Kind(kind).label))),
        "## Who judged",
        describe_people(people, snapshot.total),
        "## Agreement",
        describe_agreement(agreement),
        "## Guidelines",
        table(("Version", "Judgements"), count_guidelines(items)),
        "## Who wrote the responses",
        table(("Author", "Responses"), count_authors(snapshot)),
        "## Known limits",
        "\n".join(f"- {limit}" for limit in list_limits(snapshot, items, people, agreement)),
    ]
    return "\n\n".join(parts) + "\n"


def describe_whole(snapshot: Snapshot, items: QuerySet[SnapshotItem]) -> str:
    ends = items.aggregate(
        first=Min("judgement__created_at"),
        last=Max("judgement__created_at"),
        prompts=Count("judgement__task__prompt", distinct=True),
    )
    words = parse_filters(snapshot.filters).describe()
    facts = table(
        ("What", "How much"),
        [
            ("Project", escape(snapshot.project.name)),
            ("Judgements", f"{snapshot.total:,}"),
            ("Prompts", f"{ends['prompts']:,}"),
            (
                "For training, held out",
                f"{snapshot.train_count:,}, {snapshot.test_count:,} (seed {snapshot.split_seed})",
            ),
            ("Judged", days_between(ends["first"], ends["last"])),
            ("Taken", escape("; ".join(words) or "all there were")),
        ],
    )
    return f"{facts}\n\nSHA-256 over the lines of the form “Everything”:\n\n`{snapshot.content_hash}`"


def days_between(first: datetime, last: datetime) -> str:
    days = dict.fromkeys(f"{day:%-d %B %Y}" for day in (first, last))
    return " to ".join(days)


def count_people(snapshot: Snapshot, items: QuerySet[SnapshotItem]) -> list[Person]:
    """Everybody with their number of judgements, the busiest first."""
    columns = ("judgement__annotator", "judgement__external_annotator")
    rows = items.values_list(*columns).annotate(count=Count("pk"))
    people = [
        Person(external if user is None else pseudonym(snapshot.project_id, user), count)
        for user, external, count in rows
    ]
    return sorted(people, key=lambda person: (-person.judgements, person.name))


def describe_people(people: list[Person], total: int) -> str:
    count = f"{len(people):,} people" if len(people) != 1 else "One person"
    rows = [(escape(person.name), f"{person.judgements:,}") for person in people[:MOST_PEOPLE]]
    rest = len(people) - MOST_PEOPLE
    more = f"\n\nand {rest:,} more." if rest > 0 else ""
    return f"{count}, under pseudonyms that hold within this project.\n\n{table(('Person', 'Judgements'), rows)}{more}"


def measure_snapshot(snapshot: Snapshot) -> Agreement | None:
    """How far comparisons of one task agree, as the project's overview counts it."""
    counts = {name: Count("pk", filter=said) for name, said in SAYS.items()}
    said = Comparison.objects.filter(judgement__snapshot_items__snapshot=snapshot)
    tasks = said.values("judgement__task").annotate(**counts).values_list(*SAYS)
    ordered = sorted(tasks.iterator(chunk_size=10_000))
    return measure_agreement([(tally, len(list(alike))) for tally, alike in groupby(ordered)])


def describe_agreement(agreement: Agreement | None) -> str:
    if agreement is None:
        return "No comparison was made by two people: how far they agree is not known."
    alpha = "not defined, everybody always said the same" if agreement.alpha is None else f"{agreement.alpha:.2f}"
    return (
        f"{agreement.tasks:,} comparisons were made by at least two people. Two answers say the same (first, second, "
        f"tie or both bad) {agreement.observed:.0%} of the time; Krippendorff's alpha: {alpha}."
    )


def count_guidelines(items: QuerySet[SnapshotItem]) -> list[tuple[str, str]]:
    version = Coalesce("judgement__guideline__version", "judgement__external_guideline")
    rows = items.values(version=version).annotate(count=Count("pk")).order_by(F("version").asc(nulls_last=True))
    return [("not known" if row["version"] is None else str(row["version"]), f"{row['count']:,}") for row in rows]


def count_authors(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Models and files by name with the responses that were judged; people together."""
    judged = Judgement.objects.filter(snapshot_items__snapshot=snapshot).values("task")
    written = Author.objects.filter(responses__places__task__in=judged)
    rows = (
        written.values_list("kind", "name").annotate(count=Count("responses", distinct=True)).order_by("kind", "name")
    )
    named = [(escape(name), f"{count:,}") for kind, name, count in rows if kind != Author.Kind.PERSON]
    by_people = sum(count for kind, _, count in rows if kind == Author.Kind.PERSON)
    return [*named, *([("people", f"{by_people:,}")] if by_people else [])]


def count_by(items: QuerySet[SnapshotItem], field: str, name: Any) -> list[tuple[str, str]]:
    rows = items.values_list(field).annotate(count=Count("pk")).order_by("-count", field)
    return [(name(value), f"{count:,}") for value, count in rows]


def list_limits(
    snapshot: Snapshot, items: QuerySet[SnapshotItem], people: list[Person], agreement: Agreement | None
) -> list[str]:
    """What a reader should know before they trust it, each a sentence."""
    counts = items.aggregate(
        imported=Count("pk", filter=Q(judgement__annotator=None)),
        no_side=Count("pk", filter=Q(judgement__comparison__first_on_left=None, judgement__comparison__isnull=False)),
        no_strength=Count("pk", filter=Q(judgement__comparison__points=None, judgement__comparison__isnull=False)),
        no_guideline=Count("pk", filter=Q(judgement__guideline=None, judgement__external_guideline=None)),
    )
    most = people[0].judgements / snapshot.total if snapshot.total else 0.0
    imported, no_side, no_strength, no_guideline = counts.values()
    said = {
        f"Judgements from files: {imported:,}. What people were shown and told there is not known.": imported,
        f"Comparisons without sides: {no_side:,}. A lean to one side cannot be measured in them.": no_side,
        f"Comparisons without a strength: {no_strength:,}. They say which is better, not by how much.": no_strength,
        f"Judgements under guidelines of no known version: {no_guideline:,}.": no_guideline,
        f"Only {len(people)} people judged: it says what they prefer.": 1 < len(people) < FEW_PEOPLE,
        "One person judged all of it: it says what they prefer.": len(people) == 1,
        f"One person gave {most:.0%} of the judgements.": len(people) > 1 and most > ONE_VOICE,
        "Nothing was judged twice, so it cannot be told how reliable it is.": agreement is None,
        "Nothing is held out.": not snapshot.test_count,
    }
    always = "It holds the current answers of the day it was frozen; later corrections are not in it."
    return [*(limit for limit, holds in said.items() if holds), always]


def table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows]]
    return "\n".join(lines)


def escape(text: str) -> str:
    """What is safe in a cell of a table: names come from files and people."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>()#+!|~" else mark for mark in " ".join(text.split()))
