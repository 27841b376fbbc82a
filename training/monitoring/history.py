"""What a run has told so far, in order: the figures of its steps and evaluations, and its samples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Figures = Mapping[str, Any]  # an event's data with its "step"; a figure that is no number is None


@dataclass
class History:
    """Steps and evaluations as they came; `samples` are the texts of each evaluation, by step."""

    steps: list[Figures] = field(default_factory=list)
    evaluations: list[Figures] = field(default_factory=list)
    samples: dict[int, list[str]] = field(default_factory=dict)

    def add(self, events: Iterable[Mapping[str, Any]]) -> bool:
        """Take in the trainer's events; returns whether any of them is looked at."""
        before = len(self.steps) + len(self.evaluations) + len(self.samples)
        for event in events:
            kind, step, data = event["kind"], event["step"], event["data"]
            if kind == "train":
                self.steps.append({**data, "step": step})
            elif kind == "eval":
                self.evaluations.append({**data, "step": step})
            elif kind == "sample":
                self.samples.setdefault(step, []).append(str(data.get("text", "")))
        return len(self.steps) + len(self.evaluations) + len(self.samples) > before


def values(rows: Sequence[Figures], key: str) -> list[float]:
    """The numbers under this key, where there are any."""
    return [float(row[key]) for row in rows if row.get(key) is not None]


def average(rows: Sequence[Figures], key: str) -> float | None:
    found = values(rows, key)
    return sum(found) / len(found) if found else None
