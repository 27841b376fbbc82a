"""How fast a snapshot leaves: first byte, whole, memory, and rows a second beside Postgres' own COPY of the same rows.

    python -m bench.exports [--quick] [--rows 100000] [--large 1000000] [--times 3] [--formats jsonl parquet]
    python -m bench.exports --keep FOLDER …      fills a database there the first time, and only measures the next

The download is the page's own view, signed in, read piece by piece. COPY writes the same columns of the same joined
rows in the same order, unformatted. Both are measured in turn; the ratio is of the medians. `cpu_s` is the processor
time of this process, without the database's: what remains true on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.scratch import kept_database, scratch_database

FORMATS = ("jsonl", "jsonl.gz", "parquet")
SAMPLED = 20  # pieces between two looks at the memory
COPY = """COPY (
    SELECT item.split, item.weight, judgement.submission_id, judgement.kind, judgement.created_at,
        judgement.annotator_id, judgement.external_annotator, guideline.version, judgement.active_seconds,
        judgement.rationale, judgement.flags, judgement.is_surplus, judgement.is_adjudication, task.purpose,
        prompt.content_hash, prompt.messages, prompt.system, prompt.tags, prompt.source, prompt.external_id,
        said.preference, said.points, said.both_bad, said.first_on_left, said.dimensions,
        one.text, one.sampling, one.seed, one.token_count, one.finish_reason, one_author.kind, one_author.name,
        two.text, two.sampling, two.seed, two.token_count, two.finish_reason, two_author.kind, two_author.name
    FROM annotate_snapshotitem AS item
    JOIN annotate_judgement AS judgement ON judgement.id = item.judgement_id
    JOIN annotate_task AS task ON task.id = judgement.task_id
    JOIN annotate_prompt AS prompt ON prompt.id = task.prompt_id
    LEFT JOIN annotate_guideline AS guideline ON guideline.id = judgement.guideline_id
    JOIN annotate_comparison AS said ON said.judgement_id = judgement.id
    JOIN annotate_response AS one ON one.id = said.first_id
    JOIN annotate_author AS one_author ON one_author.id = one.author_id
    JOIN annotate_response AS two ON two.id = said.second_id
    JOIN annotate_author AS two_author ON two_author.id = two.author_id
    WHERE item.snapshot_id = %s ORDER BY item.id
) TO STDOUT"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="20,000 and 40,000 judgements")
    parser.add_argument("--times", type=int, default=3, help="how often COPY and ours are measured")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--keep", type=Path, help="a folder for the filled database")
    chosen = parser.parse_args()
    rows, large = (20_000, 40_000) if chosen.quick else (chosen.rows, chosen.large)
    with kept_database(chosen.keep) if chosen.keep else scratch_database():
        figures: dict[str, Any] = {
            "machine": f"{platform.processor() or platform.machine()}, {psutil.cpu_count()} cores"
        }
        client, snapshot = find_snapshot(rows)
        figures["rows"] = rows
        figures["downloads"] = {each: measure_download(client, snapshot, each) for each in chosen.formats}
        report("downloads", figures["downloads"])
        if large != rows:
            _, snapshot = find_snapshot(large)
        figures |= {"large": large, **compare_with_copy(snapshot, large, chosen.times)}
    print(json.dumps(figures))


def find_snapshot(rows: int) -> tuple[Any, Any]:
    """Its owner, signed in, and a snapshot of as many judgements: the kept one, or made now."""
    from django.test import Client

    from annotate.models import JobStatus, Snapshot

    kept = Snapshot.objects.filter(total=rows, status=JobStatus.SUCCEEDED).select_related("project", "created_by")
    snapshot = kept.first() or make_snapshot(f"of {rows}", rows)
    client = Client(headers={"host": "localhost"})
    client.force_login(snapshot.created_by)
    return client, snapshot


def make_snapshot(name: str, rows: int) -> Any:
    from annotate.models import Project, User
    from annotate.services.snapshots import create_snapshot

    project = Project.objects.filter(name=name).first() or make_judgements(name, rows)
    owner = User.objects.get(name=f"{name}0")
    seconds, snapshot = timed(lambda: create_snapshot(project=project, user=owner, build_here=True))
    report("snapshot frozen, counted and hashed in seconds", round(seconds, 1))
    return snapshot


def make_judgements(name: str, rows: int) -> Any:
    """A project with as many, whole or not at all, so that a kept database can be filled in two goes."""
    from django.db import transaction

    from bench.exports_seed import seed_judgements
    from tests.factories import make_project, make_user

    with transaction.atomic():
        people = [make_user(f"{name}{number}") for number in range(10)]
        project = make_project(people[0], name=name)
        seconds, _ = timed(lambda: seed_judgements(project=project.pk, first_person=people[0].pk, judgements=rows))
    report(f"{rows:,} judgements made", round(seconds, 1))
    return project


def measure_download(client: Any, snapshot: Any, format: str) -> dict[str, float]:
    """Seconds to the first byte and to the last, megabytes, and by how many megabytes the process grew meanwhile."""
    process = psutil.Process()
    client.get(f"/projects/{snapshot.project_id}/snapshots/")  # so that the site's modules are there
    before = peak = process.memory_info().rss
    busy, started = time.process_time(), time.perf_counter()
    answer = client.get(f"/projects/{snapshot.project_id}/snapshots/{snapshot.pk}/download/lossless/?format={format}")
    first, size = 0.0, 0
    for number, piece in enumerate(answer.streaming_content):
        first = first or time.perf_counter() - started
        size += len(piece)
        if number % SAMPLED == 0:
            peak = max(peak, process.memory_info().rss)
    whole = time.perf_counter() - started
    grown = (peak - before) / 2**20
    busy = time.process_time() - busy
    figures = {"first_s": first, "whole_s": whole, "cpu_s": busy, "mb": size / 1e6, "rss_mb": grown}
    return {name: round(figure, 2) for name, figure in figures.items()}


def compare_with_copy(snapshot: Any, rows: int, times: int) -> dict[str, float]:
    from annotate.exports.downloads import find_download

    ours, copies = [], []
    for _ in range(times):
        copies.append(timed(lambda: copy_out(snapshot.pk))[0])
        ours.append(timed(lambda: sum(map(len, find_download(snapshot, "lossless").pieces())))[0])
        report("COPY, ours in seconds", (round(copies[-1], 1), round(ours[-1], 1)))
    ratio = statistics.median(copies) / statistics.median(ours)
    return {
        "copy_rows_per_s": round(rows / statistics.median(copies)),
        "rows_per_s": round(rows / statistics.median(ours)),
        "ratio": round(ratio, 3),
    }


def copy_out(snapshot: int) -> int:
    from django.db import connection

    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(COPY % snapshot) as stream:
        return sum(len(piece) for piece in stream)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def report(what: str, value: object) -> None:
    print(f"{what}: {value}", flush=True)


if __name__ == "__main__":
    main()
