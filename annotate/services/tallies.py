"""How much people have sent in, read without counting all of it again.

Whatever is an hour old is added up once, by person, day and kind (`WorkTally`), as far as the project's `TallyMark`;
what came since is counted with it, in the same statement, so that no answer is missed or counted twice. Judgements are
append-only, so nothing behind the mark changes but what still stands, and that follows from the rows that supersede.
Nothing is written when somebody answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotate.models import Judgement, Project, TallyMark, User, WorkTally
from annotate.prepared import fetch, tables_of

SETTLED_AFTER = timedelta(hours=1)  # no transaction that could still add an earlier row lasts so long
ADDED_AT_ONCE = 50_000  # judgements in one transaction

TABLES = tables_of(Judgement, TallyMark, User, WorkTally)
KEY = "annotator_id, day, kind, is_adjudication"
COUNTS = ("answers", "skips", "standing_answers", "standing_skips", "active_seconds")

# People's judgements as rows of a tally: each on its own day, and once more, taken from what stands on the day of the
# row that it supersedes. That row is looked up by its number alone. A reviewer's decisions are not asked to stand.
SENT = """
    SELECT said.annotator_id, (said.created_at AT TIME ZONE %(zone)s)::date AS day, said.kind, said.is_adjudication,
        (said.outcome = 'answer')::int AS answers, (said.outcome = 'skip')::int AS skips,
        (said.outcome = 'answer')::int AS standing_answers, (said.outcome = 'skip')::int AS standing_skips,
        coalesce(said.active_seconds, 0) AS active_seconds
    FROM {judgement} AS said WHERE said.project_id = %(project)s AND {chosen}
    UNION ALL
    SELECT before.annotator_id, (before.created_at AT TIME ZONE %(zone)s)::date, before.kind, false,
        0, 0, -(before.outcome = 'answer')::int, -(before.outcome = 'skip')::int, 0
    FROM {judgement} AS said
    CROSS JOIN LATERAL (SELECT * FROM {judgement} WHERE id = said.supersedes_id LIMIT 1) AS before
    WHERE said.project_id = %(project)s AND {chosen} AND NOT said.is_adjudication"""

# The tallies with what has come since, as one set of rows, of everybody or of one person.
WORK = """
    WITH mark AS (
        SELECT coalesce(max(up_to), 0) AS up_to FROM {tallymark}
        WHERE project_id = %(project)s AND time_zone = %(zone)s
    ), work AS (
        SELECT {key}, {counts} FROM {worktally}
        WHERE project_id = %(project)s AND annotator_id {whose} AND (SELECT up_to FROM mark) > 0
        UNION ALL {sent}
    )"""
AFTER_MARK = "said.annotator_id {whose} AND said.id > (SELECT up_to FROM mark)"

# The last of the next judgements that have settled; nothing where none has.
SETTLED = """
    WITH next AS (
        SELECT id, created_at FROM {judgement}
        WHERE project_id = %(project)s AND annotator_id IS NOT NULL AND id > %(after)s ORDER BY id LIMIT %(most)s
    )
    SELECT max(id) FROM next
    WHERE id < coalesce((SELECT min(id) FROM next WHERE created_at >= %(since)s), 9223372036854775807)
""".format(**TABLES)
BETWEEN = "said.annotator_id IS NOT NULL AND said.id > %(after)s AND said.id <= %(up_to)s"
ADD = """
    INSERT INTO {worktally} (project_id, {key}, {counts})
    SELECT %(project)s, {key}, {sums} FROM ({sent}) AS sent GROUP BY {key}
    ON CONFLICT (project_id, {key}) DO UPDATE SET {added}
""".format(
    **TABLES,
    key=KEY,
    counts=", ".join(COUNTS),
    sums=", ".join(f"sum({name})" for name in COUNTS),
    added=", ".join(f"{name} = {TABLES['worktally']}.{name} + excluded.{name}" for name in COUNTS),
    sent=SENT.format(**TABLES, chosen=BETWEEN),
)


def over_work(statement: str, *, of_one: bool) -> str:
    """A statement over the rows `work` of a project, of the person `user` or of everybody; for `read_work`."""
    whose = "= %(user)s" if of_one else "IS NOT NULL"
    sent = SENT.format(**TABLES, chosen=AFTER_MARK.format(whose=whose))
    return WORK.format(**TABLES, key=KEY, counts=", ".join(COUNTS), whose=whose, sent=sent) + statement


def read_work(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return fetch(statement, {**values, "zone": timezone.get_current_timezone_name()})


def add_up_work() -> int:
    """Add what has settled to the tallies of every project; returns how many batches that were."""
    reached = Subquery(TallyMark.objects.filter(project=OuterRef("project")).values("up_to"))
    later = Judgement.objects.filter(project=OuterRef("pk"), annotator__isnull=False, pk__gt=Coalesce(reached, 0))
    later = later.filter(created_at__lt=timezone.now() - SETTLED_AFTER)
    return sum(add_up_project(project) for project in Project.objects.filter(Exists(later)))


def add_up_project(project: Project) -> int:
    """Batch after batch until nothing settled is left; returns how many batches there were."""
    batches = 0
    while _add_batch(project):
        batches += 1
    return batches


@transaction.atomic
def _add_batch(project: Project) -> bool:
    """The mark's row is locked, so that no judgement is added twice, whoever else adds."""
    zone = timezone.get_current_timezone_name()
    TallyMark.objects.get_or_create(project=project, defaults={"time_zone": zone})
    mark = TallyMark.objects.select_for_update().get(project=project)
    if mark.time_zone != zone:  # days begin at another hour now
        WorkTally.objects.filter(project=project).delete()
        mark.up_to, mark.time_zone = 0, zone
    values: dict[str, Any] = {"project": project.pk, "after": mark.up_to, "most": ADDED_AT_ONCE, "zone": zone}
    with connection.cursor() as cursor:
        cursor.execute(SETTLED, {**values, "since": timezone.now() - SETTLED_AFTER})
        up_to = cursor.fetchone()[0]
        if up_to is not None:
            cursor.execute(ADD, {**values, "up_to": up_to})
            mark.up_to = up_to
    mark.save(update_fields=["up_to", "time_zone"])
    return up_to is not None
