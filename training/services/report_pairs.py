"""The comparisons that a report on a reward model rests on: those of a snapshot, and those whose answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from annotate.exports.kinds.comparison import strength
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Row
from annotate.exports.stream import stream_rows
from annotate.models import Comparison, Project, Snapshot
from annotate.services.known_answers import KNOWN

MOST = 4_000  # comparisons of a split: enough for an interval of two points


@dataclass(frozen=True)
class ReportPair:
    """`chosen` and `rejected` are responses' ids; of a tie, the order means nothing."""

    chosen: int
    rejected: int
    prompt: str  # its hash
    strength: float | None
    tie: bool
    tags: tuple[str, ...]
    annotator: int | None
    gap: float  # length of the chosen response over that of the rejected one


def read_pairs(snapshot: Snapshot, split: str) -> list[ReportPair]:
    """At most MOST of the split's comparisons, in the snapshot's order."""
    found: list[ReportPair] = []
    for row in stream_rows(snapshot, split):
        found.extend(pairs_of(row))
        if len(found) >= MOST:
            break
    return found[:MOST]


def pairs_of(row: Row) -> Iterator[ReportPair]:
    answer, export = row.answer, KIND_EXPORTS[row.facts.kind]
    compared = export.answer is Comparison
    if compared and answer.preference == 0:
        yield as_pair(row, row.place(answer.first_id), row.place(answer.second_id), None, tie=True)
        return
    for chosen, rejected in export.pairs(row):
        yield as_pair(row, chosen, rejected, strength(answer) if compared else None)


def as_pair(row: Row, chosen: int, rejected: int, known: float | None, *, tie: bool = False) -> ReportPair:
    facts = row.facts
    return ReportPair(
        chosen=row.responses[chosen].id,
        rejected=row.responses[rejected].id,
        prompt=facts.prompt_hash,
        strength=known,
        tie=tie,
        tags=tuple(facts.tags),
        annotator=facts.annotator_id,
        gap=(len(row.text(chosen)) + 1) / (len(row.text(rejected)) + 1),
    )


def known_pairs(project: Project) -> list[tuple[int, int]]:
    """The responses, chosen and rejected, of the project's own clear pairs: comparisons whose answer is agreed on."""
    agreed = Comparison.objects.filter(
        judgement__project=project,
        judgement__task__purpose__in=KNOWN,
        judgement__is_current=True,
        judgement__is_adjudication=True,
        preference__isnull=False,
    )
    return [
        (one.first_id, one.second_id) if (one.preference or 0) < 0 else (one.second_id, one.first_id)
        for one in agreed.exclude(preference=0).order_by("pk")
    ]
