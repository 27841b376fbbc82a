"""Every file of a folder into an empty project, and what became of its rows.

python -m bench.imports /path/to/data            prints a table, then one JSON object
python -m bench.imports /path/to/data --large    also a file of 1 GB whose worker is killed, and 100,000 prompts
python -m bench.imports --prompts                100,000 prompts alone
python -m bench.imports --tasks 100000           so many prompts with two responses and a task each, durably
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.scratch import kept_database, scratch_database

MB = 1024 * 1024
KILLED_AT = 0.4  # of the file
PROMPTS = 100_000
WORDS = ("rain", "stone", "bread", "river", "early", "light", "under", "seven", "letters", "quiet", "northern", "glass")
COUNTS = ("rows_read", "rows_added", "rows_known", "rows_refused")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="every file below it is imported into the same project")
    parser.add_argument("--prompts", action="store_true")
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--megabytes", type=int, default=1024, help="of the large file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plumbline-imports-") as var:
        os.environ["PLUMBLINE_VAR"] = var
        if arguments.tasks:
            print(json.dumps(import_with_tasks(arguments.tasks, Path(var))))
            return
        with scratch_database():
            result: dict[str, Any] = {"files": import_folder(arguments.folder)} if arguments.folder else {}
            if arguments.large or arguments.prompts:
                result["prompts"] = import_prompts()
            if arguments.large:
                result["large"] = import_large(arguments.megabytes * MB)
    print(json.dumps(result))


def make_owner_and_project(name: str) -> tuple[Any, Any]:
    from tests.factories import make_project, make_user

    owner = make_user(name, is_staff=True)
    return owner, make_project(owner, reading_warning=False)


def start_import(path: Path, owner: Any, project: Any) -> Any:
    from annotate.services.imports import accept_import, create_import

    with path.open("rb") as content:
        job = create_import(project=project, user=owner, content=content, filename=path.name)
    accept_import(job=job, user=owner)
    return job


def import_folder(folder: Path) -> list[dict[str, Any]]:
    """Files of answers before the verdicts on them, else by name."""
    owner, project = make_owner_and_project("Alice")
    paths = [path for path in folder.rglob("*") if re.search(r"\.(jsonl|json|csv|parquet|txt)(\.gz)?$", path.name)]
    paths = [path for path in paths if "models" not in path.parts]
    print("| file | read as | rows | added | already there | refused | why |\n|---|---|---|---|---|---|---|")
    return [import_file(path, owner, project) for path in sorted(paths, key=lambda p: (p.parent.name, p.name))]


def import_file(path: Path, owner: Any, project: Any) -> dict[str, Any]:
    from annotate.services.import_runs import run_import

    job = start_import(path, owner, project)
    run_import(job)
    job.refresh_from_db()
    reasons = Counter(re.sub(r"“[^”]*”|\d[\d,]*", "…", row.reason) for row in job.refused.all())
    why = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(4)) or job.error
    cells = [path.name, job.get_contents_display(), *(f"{getattr(job, name):,}" for name in COUNTS), why]
    print("| " + " | ".join(cells) + " |", flush=True)
    return {"file": path.name, "contents": job.contents, "status": job.status} | counts(job)


def counts(job: Any) -> dict[str, int]:
    return {name: getattr(job, name) for name in COUNTS}


def import_prompts() -> dict[str, Any]:
    """T22: 100,000 prompts with ids, a tenth of them broken, and the same file again."""
    from annotate.services.import_runs import run_import

    owner, project = make_owner_and_project("Bob")
    figures: dict[str, Any] = {}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for number in range(PROMPTS):
            prompt = "" if number % 10 == 9 else f"{number}: {text_of(number, 40)}?"
            file.write(json.dumps({"id": number, "prompt": prompt, "tags": ["bench"]}) + "\n")
        file.flush()
        for name in ("first", "again"):
            job = start_import(Path(file.name), owner, project)
            started, cpu = time.monotonic(), time.process_time()
            run_import(job)
            job.refresh_from_db()
            seconds = {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - cpu}
            figures[name] = {name: round(value, 1) for name, value in seconds.items()} | counts(job)
            print(f"100,000 prompts, {name}: {figures[name]}", flush=True)
    return figures


def import_with_tasks(count: int, folder: Path) -> dict[str, Any]:
    """As an owner brings them: a file imported, a comparison made of each of its rows."""
    from bench.site import cpu_of, import_tasks
    from bench.web import write_tasks

    with kept_database(folder, is_durable=True) as postgres:
        owner, project = make_owner_and_project("Dave")
        path = write_tasks(folder / "tasks.jsonl", count)
        database = postgres.process()
        started, cpu, cpu_database = time.monotonic(), time.process_time(), cpu_of(database)
        made = import_tasks(project, owner, path)
        return {
            "tasks": made,
            "seconds": round(time.monotonic() - started, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "database_cpu_seconds": round(cpu_of(database) - cpu_database, 1),
            "peak_rss_mb": peak_rss(os.getpid()) // 1024,
            "load_average": round(os.getloadavg()[0], 1),
        }


def import_large(size: int) -> dict[str, Any]:
    """Judged pairs of about 11,000 characters; the worker is killed at two fifths, another goes on."""
    owner, project = make_owner_and_project("Carol")
    with tempfile.NamedTemporaryFile("wb", suffix=".jsonl") as file:
        rows = sum(1 for _ in write_pairs(file, size))
        job = start_import(Path(file.name), owner, project)
    started = time.monotonic()
    killed = watch_worker(job, kill_at=int(KILLED_AT * size))
    read_before = job.rows_read
    resumed = watch_worker(job, kill_at=None)
    figures = {
        "bytes": size,
        "rows": rows,
        "killed_at_row": read_before,
        "peak_rss_mb": max(killed["peak_rss_mb"], resumed["peak_rss_mb"]),
        "first_row_after_resume_s": resumed["first_change_s"],
        "seconds": round(time.monotonic() - started, 1),
        "status": job.status,
        **counts(job),
        "judgements": project.judgements.count(),
        "prompts": project.prompts.count(),
    }
    print(f"large: {figures}", flush=True)
    return figures


def write_pairs(file: Any, size: int) -> Iterator[int]:
    number = 0
    while file.tell() < size:
        row = {"prompt": f"{number}: {text_of(number, 60)}?"}
        row |= {"chosen": text_of(number + 1, 900), "rejected": text_of(number + 2, 900), "annotator": f"w{number % 9}"}
        file.write((json.dumps(row) + "\n").encode())
        number += 1
        yield number
    file.flush()


def text_of(seed: int, words: int) -> str:
    return " ".join(WORDS[(seed * 7 + place * (seed % 13 + 1)) % len(WORDS)] for place in range(words)) + f" {seed}"


def watch_worker(job: Any, *, kill_at: int | None) -> dict[str, Any]:
    """Run the job in a process of its own until it ends, or kill it there; then wait until it may be taken again."""
    worker = subprocess.Popen([sys.executable, "-m", "bench.import_worker", str(job.pk)])
    started, peak, before, first = time.monotonic(), 0, job.rows_read, None
    while worker.poll() is None:
        peak = max(peak, peak_rss(worker.pid))
        job.refresh_from_db()
        if first is None and job.rows_read > before:
            first = round(time.monotonic() - started, 1)
        if kill_at is not None and job.progress >= kill_at:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            wait_until_stalled(job)
            break
        time.sleep(0.2)
    job.refresh_from_db()
    return {"peak_rss_mb": round(peak / 1024), "first_change_s": first}


def wait_until_stalled(job: Any) -> None:
    from annotate.models.jobs import STALLED_AFTER

    time.sleep(STALLED_AFTER.total_seconds() + 1)


def peak_rss(pid: int) -> int:
    """Kilobytes; 0 once the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(r"VmHWM:\s+(\d+)", status)
    return int(match[1]) if match else 0


if __name__ == "__main__":
    main()
