"""The statements of handing out and answering a task, as text (`annotate.prepared` says why).

These run for every answer of every person. Each reads a bounded number of rows, however large the tables are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db.models import Model

from annotate.models import (
    Draft,
    Guideline,
    Judgement,
    Lease,
    Membership,
    Project,
    Prompt,
    Response,
    Task,
    TaskResponse,
    User,
)
from annotate.prepared import (
    columns,
    fetch,
    given_fields,
    given_values,
    insertion,
    key_of,
    load,
    named,
    note_stored,
    table_of,
    tables_of,
    width,
)

TABLES = tables_of(Draft, Guideline, Judgement, Lease, Membership, Project, Prompt, Response, Task, TaskResponse)
SAID = "said_"  # before the names of columns of what was said


def insert_answer(judgement: Judgement, said: Model) -> None:
    """`insert` of a judgement and of the row beside it that says what was answered, and no draft of it any more.

    To be called under the lease's lock, which whoever saves a draft holds too."""
    values = given_values(judgement) | {SAID + name: value for name, value in given_values(said).items()}
    [(pk,)] = fetch(_answer(type(said)), values)
    note_stored(judgement, pk)
    note_stored(said, pk)


@cache
def _answer(said: type[Model]) -> str:
    """The row of what was said has the judgement's number as its own."""
    key = key_of(said)
    names = [name for name in given_fields(said) if name != key]
    values = ", ".join(f"%({SAID}{name})s" for name in names)
    return f"""
        WITH judgement AS ({insertion(Judgement)}), said AS (
            INSERT INTO {table_of(said)} ("{key}", {", ".join(f'"{name}"' for name in names)})
            SELECT judgement.id, {values} FROM judgement
        ), emptied AS (
            DELETE FROM {table_of(Draft)} WHERE task_id = %(task_id)s AND annotator_id = %(annotator_id)s
        ) SELECT judgement.id FROM judgement
    """


def load_task(rows: Sequence[Sequence[Any]]) -> Task:
    """A task with its prompt and its responses in order, from rows that begin with the columns of the first two and
    end with those of a response, or with none where the task has no responses."""
    at_prompt, at_response = width(Task), width(Task) + width(Prompt)
    task = load(Task, rows[0][:at_prompt])
    task.prompt = load(Prompt, rows[0][at_prompt:at_response])
    task.in_order = [load(Response, row[at_response:]) for row in rows if row[at_response] is not None]
    return task


def load_lease(rows: Sequence[Sequence[Any]], user: User, project: Project) -> Lease:
    """This person's lease with its task, from rows that begin with LEASE_COLUMNS, one for each of the responses."""
    lease = load(Lease, rows[0][: width(Lease)])
    lease.task = load_task([row[width(Lease) :] for row in rows])
    lease.annotator, lease.task.project = user, project
    return lease


# A person's membership of a project, the project, and the newest version of its guidelines.
MEMBER_COLUMNS = """
    {columns}, (SELECT max(version) FROM {guideline} AS guideline WHERE guideline.project_id = project.id)
""".format(**TABLES, columns=f"{columns(Membership, 'member')}, {columns(Project, 'project')}")
MEMBERSHIP = """
    SELECT {columns} FROM {membership} AS member JOIN {project} AS project ON project.id = member.project_id
    WHERE member.user_id = %(user)s AND member.project_id = %(project)s
""".format(**TABLES, columns=MEMBER_COLUMNS)

# The person's turn at the queue: their membership as it is now, locked. What this transaction runs is planned for as
# long as the connection is kept, while a young project's tables grow from nothing: so no plan may read them whole.
TURN = """
    SELECT {columns}, set_config('enable_seqscan', 'off', true) FROM {membership} AS member
    WHERE member.user_id = %(user)s AND member.project_id = %(project)s FOR NO KEY UPDATE
""".format(**TABLES, columns=columns(Membership, "member"))

# One lease of theirs in this project, with its task and prompt; a row for each of the task's responses, in order.
OWN_LEASE = """
    SELECT {columns} FROM {lease} AS lease JOIN {task} AS task ON task.id = lease.task_id
    JOIN {prompt} AS prompt ON prompt.id = task.prompt_id {and_membership}
    LEFT JOIN {taskresponse} AS place ON place.task_id = task.id LEFT JOIN {response} AS response
        ON response.id = place.response_id
    WHERE lease.id = %(lease)s AND lease.annotator_id = %(user)s AND task.project_id = %(project)s
    ORDER BY place.position
"""
LEASE_COLUMNS = ", ".join(
    [columns(Lease, "lease"), columns(Task, "task"), columns(Prompt, "prompt"), columns(Response, "response")]
)
MEMBERSHIP_AND_LEASE = OWN_LEASE.format(
    **TABLES,
    columns=f"{MEMBER_COLUMNS}, {LEASE_COLUMNS}",
    and_membership="""
        JOIN {project} AS project ON project.id = task.project_id
        JOIN {membership} AS member ON member.project_id = project.id AND member.user_id = lease.annotator_id
    """.format(**TABLES),
)
OWN_LEASE = OWN_LEASE.format(**TABLES, columns=LEASE_COLUMNS, and_membership="")

# Of a lease and of a task whose number is known. Said in a way that the indexes of what is held and of what waits are
# not used, with their many dead entries.
IS_HELD = "lease.state || '' = 'held'"
IS_OPEN = "task.remaining + 0 > 0 AND task.closed_at IS NULL"

# What the person has in hand in this project, or gave back and may have again. `after` is a lease that is not meant.
OPEN_TO_THEM = """
    FROM {lease} AS own JOIN {task} AS theirs ON theirs.id = own.task_id
    WHERE own.annotator_id = %(user)s AND own.state IN ('held', 'returned', 'expired')
        AND theirs.project_id = %(project)s AND theirs.closed_at IS NULL
        AND (own.state = 'held' OR theirs.remaining > 0)
""".format(**TABLES)
IN_HAND = f"SELECT own.id, own.state, own.is_ahead, own.leased_at {OPEN_TO_THEM} AND own.id <> %(after)s"

# Whether this person's last answers to gold were right, the newest first.
GOLD_ANSWERED = """
    SELECT judgement.matches_agreed FROM {judgement} AS judgement
    JOIN {task} AS task ON task.id = judgement.task_id AND task.purpose = 'gold'
    WHERE judgement.annotator_id = %(user)s AND judgement.project_id = %(project)s
        AND judgement.is_current AND judgement.matches_agreed IS NOT NULL
        AND (%(since)s::timestamptz IS NULL OR judgement.created_at > %(since)s)
    ORDER BY judgement.id DESC LIMIT %(most)s
""".format(**TABLES)

# Hold for longer what the person holds and their page shows already, as nearly every answer does; whether they have
# nothing else in hand; and GOLD_ANSWERED.
HOLD_SHOWN = """
    UPDATE {lease} AS lease SET expires_at = %(until)s, is_ahead = false FROM {task} AS task
    WHERE lease.id = %(shown)s AND lease.annotator_id = %(user)s AND {is_held} AND task.id = lease.task_id
        AND task.project_id = %(project)s AND task.closed_at IS NULL
    RETURNING {columns}, NOT EXISTS (SELECT {open_to_them} AND own.id <> %(shown)s), ARRAY({gold_answered})
""".format(
    **TABLES,
    columns=f"{columns(Lease, 'lease')}, {columns(Task, 'task')}",
    is_held=IS_HELD,
    open_to_them=OPEN_TO_THEM,
    gold_answered=GOLD_ANSWERED,
)

# Take a place of the first queued task that this person has not been handed, and hold it for them; or in its place,
# when the lot says so, of gold they have not been handed, or of their repeat. They see its responses in the order of
# `order`, or, of a repeat, the other way round than the time before. Gold is looked up whatever the lot says. `parts`
# are the parts of the queue, one after another, each in its order. Whether a task was handed to them is asked task by
# task (a scalar subquery, which is never turned into a join), so that the walk ends with the first few that fit; more
# than one, because others may be moving those just now. The person's last work is looked for by an index of their own
# (`JudgementQuerySet.newest_of` says why a range of one). A row for each of the task's responses, in order.
TAKE_PLACE = """
    WITH last AS (
        SELECT task.priority, task.id FROM {judgement} AS judgement JOIN {task} AS task ON task.id = judgement.task_id
        WHERE judgement.annotator_id BETWEEN %(user)s AND %(user)s AND judgement.project_id = %(project)s
            AND task.purpose = %(purpose)s
        ORDER BY judgement.annotator_id, judgement.id DESC LIMIT 1
    ), first AS (
        SELECT task.id
        FROM (
            SELECT part, id, priority FROM ({parts}) AS queued
            WHERE (SELECT id FROM {lease} WHERE task_id = queued.id AND annotator_id = %(user)s) IS NULL
            LIMIT 20
        ) AS fit JOIN {task} AS task ON task.id = fit.id
        WHERE {is_open}
        ORDER BY fit.part, fit.priority DESC, fit.id LIMIT 1 FOR NO KEY UPDATE OF task {waiting}
    ), gold AS (
        SELECT id FROM {task} AS task
        WHERE project_id = %(project)s AND purpose = 'gold' AND remaining > 0 AND closed_at IS NULL
            AND (SELECT id FROM {lease} WHERE task_id = task.id AND annotator_id = %(user)s) IS NULL
        LIMIT %(gold_looked_at)s
    ), drawn AS (
        SELECT (array_agg(id))[1 + floor(%(which_gold)s * count(*))::int] AS id FROM gold
    ), other AS (
        SELECT task.id FROM {task} AS task
        WHERE task.id = (SELECT CASE WHEN %(is_gold)s THEN drawn.id ELSE %(mirror)s::bigint END FROM drawn)
            AND {is_open} AND EXISTS (SELECT FROM first)
            AND NOT EXISTS (SELECT FROM {lease} WHERE task_id = task.id AND annotator_id = %(user)s)
        FOR NO KEY UPDATE OF task SKIP LOCKED
    ), taken AS (
        UPDATE {task} AS task SET remaining = task.remaining - 1 FROM {prompt} AS prompt
        WHERE task.id = coalesce((SELECT id FROM other), (SELECT id FROM first)) AND prompt.id = task.prompt_id
        RETURNING {taken_columns}
    ), held AS (
        INSERT INTO {lease} (task_id, annotator_id, state, "order", is_ahead, leased_at, expires_at)
        SELECT "task.id", %(user)s, 'held', CASE WHEN "task.mirror_of_id" IS NULL THEN ARRAY(
                SELECT position FROM {taskresponse} WHERE task_id = "task.id"
                ORDER BY array_position(%(order)s::int[], position::int), position
            ) ELSE (
                SELECT array_agg(before.position ORDER BY before.place DESC)
                FROM {lease} AS lease, unnest(lease."order") WITH ORDINALITY AS before (position, place)
                WHERE lease.task_id = "task.mirror_of_id" AND lease.annotator_id = %(user)s
            ) END, %(is_ahead)s, %(now)s, %(until)s
        FROM taken
        RETURNING {held_columns}
    )
    SELECT {all_columns} FROM held CROSS JOIN taken LEFT JOIN {taskresponse} AS place ON place.task_id = "task.id"
    LEFT JOIN {response} AS response ON response.id = place.response_id ORDER BY place.position
"""
PART = """(
    SELECT {number} AS part, id, priority FROM {task}
    WHERE project_id = %(project)s AND purpose = %(purpose)s AND remaining > 0 AND closed_at IS NULL
        AND reserved_for_id IS NULL {walk}
    ORDER BY priority DESC, id {length}
)"""
# The front of the queue, then what comes behind the task this person judged last: of its priority, and of lower ones. A
# range of one priority, which only the queue's index has in this order: of an equal one, Postgres may go by the tasks'
# numbers instead, through all that are done and through those of other projects.
WALKS = (
    "",
    "AND priority BETWEEN (SELECT priority FROM last) AND (SELECT priority FROM last) AND id > (SELECT id FROM last)",
    "AND priority < (SELECT priority FROM last)",
)

# What waits for this person in each of their projects, by kind, up to so many in a project. As when tasks are handed
# out, the queue is looked at from its front, and from the work they judged last on: of what others gave back in between
# some may be left out.
WAITING = """
    SELECT member.project_id, waits.kind, waits.number
    FROM {membership} AS member
    LEFT JOIN LATERAL (
        SELECT task.priority, task.id FROM {judgement} AS judgement JOIN {task} AS task ON task.id = judgement.task_id
        WHERE judgement.annotator_id BETWEEN member.user_id AND member.user_id
            AND judgement.project_id = member.project_id AND task.purpose = 'work'
        ORDER BY judgement.annotator_id, judgement.id DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT open_to_them.kind, count(*) AS number
        FROM (
            SELECT queued.kind
            FROM ({front} UNION {behind_of_its_priority} UNION {behind}) AS queued
            WHERE (
                SELECT id FROM {lease} AS lease
                WHERE lease.task_id = queued.id AND lease.annotator_id = member.user_id
                    AND lease.state NOT IN ('returned', 'expired')
            ) IS NULL
            LIMIT %(most)s
        ) AS open_to_them
        GROUP BY open_to_them.kind
    ) AS waits ON true
    WHERE member.user_id = %(user)s AND (%(project)s::bigint IS NULL OR member.project_id = %(project)s)
"""
QUEUED = """(
    SELECT id, kind FROM {task}
    WHERE project_id = member.project_id AND purpose = 'work' AND remaining > 0 AND closed_at IS NULL
        AND reserved_for_id IS NULL {walk}
    ORDER BY priority DESC, id LIMIT 300
)"""
WAITING = WAITING.format(
    **TABLES,
    front=QUEUED.format(**TABLES, walk=""),
    behind_of_its_priority=QUEUED.format(
        **TABLES, walk="AND priority BETWEEN last.priority AND last.priority AND id > last.id"
    ),
    behind=QUEUED.format(**TABLES, walk="AND priority < last.priority"),
)

# The usual answer: the task is held, nothing was said of it before, and this submission is new.
# Returns the guidelines it is given under: those in force, or, where changed ones must be read, the newest read.
FILL_HELD_PLACE = """
    UPDATE {lease} AS lease SET state = 'done'
    WHERE lease.id = %(lease)s AND {is_held} AND NOT EXISTS (
        SELECT FROM {judgement} AS said
        WHERE said.task_id = lease.task_id AND said.annotator_id = lease.annotator_id AND said.is_current
            AND NOT said.is_adjudication
    ) AND NOT EXISTS (
        SELECT FROM {judgement} AS sent WHERE sent.project_id = %(project)s AND sent.submission_id = %(submission)s
    )
    RETURNING (
        SELECT guideline.id FROM {guideline} AS guideline
        JOIN {project} AS project ON project.id = guideline.project_id
        LEFT JOIN {membership} AS member ON member.project_id = project.id AND member.user_id = lease.annotator_id
        WHERE project.id = %(project)s
            AND (NOT project.must_read_guidelines OR guideline.version <= member.guideline_read)
        ORDER BY guideline.version DESC LIMIT 1
    )
""".format(**TABLES, is_held=IS_HELD)

# At most nine (`SIZES` of services/tasks), found first: whatever Postgres knows of the table, it never reads all of it.
RESPONSES_IN_ORDER = """
    SELECT {columns} FROM (
        SELECT response_id, position FROM {taskresponse} WHERE task_id = %(task)s ORDER BY position LIMIT 9
    ) AS place JOIN {response} AS response ON response.id = place.response_id ORDER BY place.position
""".format(**TABLES, columns=columns(Response, "response"))


@cache
def take_place(*, most: int | None, skip_locked: bool) -> str:
    """TAKE_PLACE for the first `most` tasks of each part of the queue, or for all of it.

    A task that somebody else is moving just now is passed by, or waited for.
    """
    length, waiting = f"LIMIT {most}" if most else "", "SKIP LOCKED" if skip_locked else ""
    walks = WALKS if most else WALKS[:1]
    parts = " UNION ALL ".join(
        PART.format(**TABLES, number=number, walk=walk, length=length) for number, walk in enumerate(walks)
    )
    held, taken = named(Lease, TABLES["lease"]), named(Task, "task") | named(Prompt, "prompt")
    return TAKE_PLACE.format(
        **TABLES,
        is_open=IS_OPEN,
        parts=parts,
        waiting=waiting,
        held_columns=", ".join(f"{column} AS {name}" for name, column in held.items()),
        taken_columns=", ".join(f"{column} AS {name}" for name, column in taken.items()),
        all_columns=", ".join([*held, *taken, columns(Response, "response")]),
    )
