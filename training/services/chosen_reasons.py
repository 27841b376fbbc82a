"""Why each task was chosen, as a file, so that figures can be weighed back."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from annotate.choosing.mixing import STRATEGIES
from annotate.models import Project
from annotate.services.time_statements import harmless
from training.models import ChosenTask

COLUMNS = ("task", "strategy", "value", "chance", "reason", "model", "mix", "seed", "pool", "chosen_at")
STEP = 2_000


class Echo:
    """A file for the csv module that gives back each line."""

    def write(self, line: str) -> str:
        return line


def write_reasons(project: Project) -> Iterator[str]:
    """The lines of a CSV file, the oldest task first. `chance` is empty where no lot decided."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    rows = ChosenTask.objects.of_project(project).select_related("model").order_by("task")
    for row in rows.iterator(chunk_size=STEP):
        weights = row.facts.get("mix", {})
        mix = " ".join(f"{name}={weights[name]:g}" for name in STRATEGIES if name in weights)
        yield writer.writerow(
            [
                row.task_id,
                row.strategy,
                row.value,
                row.chance,
                harmless(row.reason),
                harmless(str(row.model or "")),
                mix,
                row.facts.get("seed"),
                row.facts.get("pool"),
                row.created_at.isoformat(),
            ]
        )
