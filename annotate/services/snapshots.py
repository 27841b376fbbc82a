"""Snapshots: a filter's judgements, frozen, split by prompt and hashed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from annotate.exports.lines import read_through
from annotate.models import JobStatus, Project, Snapshot, SnapshotItem, User
from annotate.services.audit import record_audit
from annotate.services.consensus import choose_answers
from annotate.services.queue import BUILD_SNAPSHOT, enqueue
from annotate.services.snapshot_filters import matching_judgements, parse_filters

BUILT_AT_ONCE = 5_000  # judgements; a larger snapshot is built by a worker
MOST_HELD_OUT = 0.9
LARGEST_SEED = 2**31 - 1
BUCKETS = 2**32
NOTHING = (
    "No judgement matches: nothing has been judged yet, or the filter is too narrow. Widen it, or judge some tasks."
)


class SnapshotError(ValueError):
    """A snapshot that cannot be made; the message says why and what to do."""


@transaction.atomic
def create_snapshot(
    *,
    project: Project,
    user: User,
    name: str = "",
    filters: Mapping[str, Any] | None = None,
    test_fraction: float = 0.1,
    split_seed: int = 0,
    build_here: bool = False,
) -> Snapshot:
    """Freeze the current answers that `filters` takes (see SnapshotFilter; none: all), held-out share by prompt.

    A small snapshot, or any with `build_here`, is built before this returns, a large one by a worker. Asking again
    for the same name with the same filters, share and seed returns the snapshot there is: a repeated click or script
    does no harm, and what is frozen stays frozen. Raises SnapshotError when nothing matches or the name stands for
    something else, FilterError.
    """
    chosen = parse_filters(filters or {})
    check_split(test_fraction, split_seed)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    name = name.strip() or suggest_name(project)
    snapshot = Snapshot(
        project=project,
        created_by=user,
        name=name,
        filters=chosen.to_json(),
        test_fraction=test_fraction,
        split_seed=split_seed,
        queued_at=timezone.now(),
    )
    existing = Snapshot.objects.of_project(project).filter(name=name).first()
    if existing is not None:
        return same_as(existing, snapshot)
    snapshot.total = matching_judgements(project, chosen).count()
    if not snapshot.total:
        raise SnapshotError(NOTHING)
    snapshot.save()
    record_audit(actor=user, action="snapshot.created", project=project, target=snapshot, data=snapshot.filters)
    start_building(snapshot, here=build_here)
    return snapshot


def check_split(test_fraction: float, split_seed: int) -> None:
    if not 0 <= test_fraction <= MOST_HELD_OUT:
        raise SnapshotError(f"The held-out share is {test_fraction}; it must be from 0 to {MOST_HELD_OUT}.")
    if not 0 <= split_seed <= LARGEST_SEED:
        raise SnapshotError(f"The split seed is {split_seed}; it must be from 0 to {LARGEST_SEED}.")


def suggest_name(project: Project) -> str:
    """“Snapshot 3”: the first number from the count on that is still free."""
    taken = set(Snapshot.objects.of_project(project).values_list("name", flat=True))
    numbers = range(len(taken) + 1, 2 * len(taken) + 2)
    return next(name for number in numbers if (name := f"Snapshot {number}") not in taken)


def same_as(existing: Snapshot, wanted: Snapshot) -> Snapshot:
    """`existing`, when it was asked for in the very same way. Raises SnapshotError when it was not."""
    for field in ("filters", "test_fraction", "split_seed"):
        if getattr(existing, field) != getattr(wanted, field):
            raise SnapshotError(
                f"There is already a snapshot “{existing.name}” with another {field.replace('_', ' ')}. "
                "A snapshot never changes: choose another name."
            )
    return existing


def start_building(snapshot: Snapshot, *, here: bool = False) -> None:
    """Build a small snapshot here and now, hand a large one to a worker once this transaction is through."""
    if here or snapshot.total <= BUILT_AT_ONCE:
        build_snapshot(snapshot)
    else:
        enqueue(BUILD_SNAPSHOT, job_id=snapshot.pk)


def retry_snapshot(*, snapshot: Snapshot, user: User) -> bool:
    """Build a failed snapshot once more; False when it is under way or done."""
    with transaction.atomic():
        if not snapshot.queue():
            return False
        record_audit(actor=user, action="snapshot.retried", project=snapshot.project, target=snapshot)
        start_building(snapshot)
    return True


def build_snapshot(snapshot: Snapshot) -> bool:
    """Claim the snapshot and fill it; returns whether it was free. Its row says how it ended.

    Filling, counting and hashing are one transaction that holds the row: a build that dies leaves nothing behind, and
    nobody takes over a build that lives. Raises ClaimLost.
    """
    if not snapshot.take():
        return False
    try:
        with transaction.atomic():
            Snapshot.objects.select_for_update().get(pk=snapshot.pk)
            fill_snapshot(snapshot)
            counts = count_splits(snapshot)
            content_hash, line_counts = read_through(snapshot)
            snapshot.beat(
                content_hash=content_hash,
                line_counts=line_counts,
                train_count=counts.get(SnapshotItem.Split.TRAIN, 0),
                test_count=counts.get(SnapshotItem.Split.TEST, 0),
                progress=sum(counts.values()),
                total=sum(counts.values()),
            )
            snapshot.end(JobStatus.SUCCEEDED)
    except SnapshotError as error:
        snapshot.end(JobStatus.FAILED, error=str(error))
    return True


def fill_snapshot(snapshot: Snapshot) -> None:
    """Insert the items in the snapshot's order (prompt hash, submission id), in one statement.

    A prompt is held out when the first 32 bits of SHA-256 over "seed:prompt hash" fall below the held-out share: the
    same prompt on the same side in every snapshot of that seed. Where that leaves a side empty and there are at least
    two prompts, the nearest prompt crosses over. Raises SnapshotError when nothing matches.
    """
    chosen = parse_filters(snapshot.filters)
    answers = matching_judgements(snapshot.project, chosen)
    taken, weight, weights = "", "1.0", list[list[Any]]()
    if chosen.consensus:
        taken, weight = "JOIN unnest(%s::bigint[], %s::float8[]) AS taken (id, weight) USING (id)", "taken.weight"
        weights = [*choose_answers(answers, chosen.consensus)]
    query, parameters = answers.values_list("id", "submission_id", "task__prompt__content_hash").query.sql_with_params()
    statement = f"""
        WITH chosen AS MATERIALIZED (
            SELECT answer.*, {weight} AS weight,
                ('x' || left(encode(sha256(convert_to(%s || content_hash, 'UTF8')), 'hex'), 8))
                ::bit(32)::bigint AS bucket
            FROM ({query}) AS answer (id, submission_id, content_hash) {taken}
        ), cut AS (
            SELECT CASE WHEN %s = 0 OR count(DISTINCT bucket) < 2 THEN 0
                ELSE least(greatest(%s, min(bucket) + 1), max(bucket)) END AS below
            FROM chosen
        )
        INSERT INTO {SnapshotItem._meta.db_table} (snapshot_id, judgement_id, split, weight)
        SELECT %s, chosen.id, CASE WHEN bucket < below THEN %s ELSE %s END, chosen.weight
        FROM chosen CROSS JOIN cut
        ORDER BY content_hash COLLATE "C", submission_id
    """
    held_out = math.ceil(snapshot.test_fraction * BUCKETS)
    splits = [SnapshotItem.Split.TEST.value, SnapshotItem.Split.TRAIN.value]
    with connection.cursor() as cursor:
        cursor.execute(
            statement, [f"{snapshot.split_seed}:", *parameters, *weights, held_out, held_out, snapshot.pk, *splits]
        )
        if not cursor.rowcount:
            raise SnapshotError(NOTHING)


def count_splits(snapshot: Snapshot) -> dict[str, int]:
    splits = SnapshotItem.objects.filter(snapshot=snapshot).values_list("split")
    return dict(splits.annotate(count=Count("pk")))


def hash_snapshot(snapshot: Snapshot) -> str:
    """SHA-256 over the snapshot's lossless lines."""
    return read_through(snapshot)[0]
