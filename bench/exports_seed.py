"""Judgements in any number, made by the database itself, for the measurements of exports."""

from django.db import connection

STATEMENTS = (
    """INSERT INTO annotate_author (project_id, kind, name, created_at)
    SELECT %(project)s, 'model', 'model ' || n, now() FROM generate_series(1, 4) AS n""",
    """INSERT INTO annotate_prompt (project_id, messages, system, tags, source, external_id, content_hash, created_at)
    SELECT %(project)s, json_build_array(json_build_object('role', 'user', 'content', 'Question ' || n || ': '
        || repeat(md5(n::text) || ' ', 4)))::jsonb, '', ARRAY['bench'], 'bench', '', encode(sha256(n::text::bytea),
        'hex'), now() FROM generate_series(1, %(judgements)s / 4) AS n""",
    """INSERT INTO annotate_task (project_id, kind, purpose, prompt_id, key, priority, required_judgements, remaining,
        explanation, created_at)
    SELECT %(project)s, 'comparison', 'work', prompt.id, prompt.id || '-' || n, 0, 2, 0, '', now()
    FROM annotate_prompt AS prompt, generate_series(1, 2) AS n WHERE prompt.project_id = %(project)s""",
    """INSERT INTO annotate_response (prompt_id, author_id, key, text, sampling, finish_reason, seed, token_count,
        created_at)
    SELECT task.prompt_id, (SELECT min(id) FROM annotate_author WHERE project_id = %(project)s) + (task.id + n) %% 4,
        task.key || '-' || n,
        repeat(md5(task.key || n) || ' ', 15), '{"temperature": 0.7, "top_p": 0.9, "max_tokens": 256}', 'stop',
        task.id, 120, now()
    FROM annotate_task AS task, generate_series(0, 1) AS n WHERE task.project_id = %(project)s""",
    """INSERT INTO annotate_taskresponse (task_id, response_id, position)
    SELECT task.id, response.id, right(response.key, 1)::int
    FROM annotate_task AS task JOIN annotate_response AS response
        ON response.prompt_id = task.prompt_id AND response.key LIKE task.key || '-_'
    WHERE task.project_id = %(project)s""",
    """INSERT INTO annotate_judgement (project_id, task_id, kind, annotator_id, external_annotator, guideline_id,
        outcome, skip_reason, rationale, flags, active_seconds, submission_id, is_current, is_adjudication,
        is_surplus, created_at)
    SELECT %(project)s, task.id, 'comparison', person.id, '', guideline.id, 'answer', '', 'Clearer.', '{}', 12.5,
        gen_random_uuid(), true, false, false, now()
    FROM annotate_task AS task, annotate_user AS person, annotate_guideline AS guideline
    WHERE task.project_id = %(project)s AND guideline.project_id = %(project)s AND person.id IN (
        %(first)s + task.id %% 10, %(first)s + (task.id + 1 + task.id %% 7) %% 10)""",
    """INSERT INTO annotate_comparison (judgement_id, first_id, second_id, first_on_left, points, preference, both_bad,
        dimensions)
    SELECT judgement.id, one.response_id, other.response_id, judgement.id %% 2 = 0, 8,
        (ARRAY[-4, -3, -2, -1, 1, 2, 3, 4])[1 + judgement.id %% 8], false, '{}'
    FROM annotate_judgement AS judgement
    JOIN annotate_taskresponse AS one ON one.task_id = judgement.task_id AND one.position = 0
    JOIN annotate_taskresponse AS other ON other.task_id = judgement.task_id AND other.position = 1
    WHERE judgement.project_id = %(project)s""",
    "ANALYZE",
)


def seed_judgements(*, project: int, first_person: int, judgements: int) -> None:
    """Two judgements a task of two responses of 500 characters, by ten people with ids from `first_person` on."""
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, {"project": project, "first": first_person, "judgements": judgements})
