"""Runs side by side: what was set differently, what came out, what each wrote to the same prompts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.curves import EVAL, TRAIN, charts_of
from training.figures import Figure, headline, settings_of
from training.models import Run, RunEvent

MOST_RUNS = 4
ABSENT = "–"


@dataclass(frozen=True)
class Line:
    """A row of a table with one cell a run."""

    label: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.cells)) > 1


@dataclass(frozen=True)
class Prompt:
    """A prompt's last turn, and what each run's policy answers; None where a run was not asked."""

    asked: str
    answers: tuple[str | None, ...]


def compare_settings(runs: Sequence[Run]) -> list[Line]:
    """Every setting of any of the runs, in the order they are met."""
    return line_up(runs, lambda run: settings_of(run.algorithm, run.config))


def compare_figures(runs: Sequence[Run]) -> list[Line]:
    """The last held-out figures, with what is said beside them."""
    return line_up(runs, lambda run: headline(run.metrics))


def line_up(runs: Sequence[Run], figures_of: Callable[[Run], list[Figure]]) -> list[Line]:
    found = [{figure.label: figure for figure in figures_of(run)} for run in runs]
    labels = dict.fromkeys(label for figures in found for label in figures)
    return [Line(label, tuple(say(figures.get(label)) for figures in found)) for label in labels]


def say(figure: Figure | None) -> str:
    if figure is None:
        return ABSENT
    return f"{figure.value} ({figure.note})" if figure.note else figure.value


def compare_samples(runs: Sequence[Run], events: Sequence[RunEvent]) -> list[Prompt]:
    """What each run's newest samples say to a prompt, the prompts that most runs were asked first.

    `events` are the runs' events of kind "sample", oldest first.
    """
    newest = {event.run_id: event for event in events}
    answers: dict[str, dict[int, str]] = {}
    for run in runs:
        event = newest.get(run.pk)
        for sample in event.data.get("samples", []) if event else []:
            answers.setdefault(json.dumps(sample["prompt"]), {})[run.pk] = sample["text"]
    rows = [Prompt(last_turn(prompt), tuple(told.get(run.pk) for run in runs)) for prompt, told in answers.items()]
    return sorted(rows, key=lambda row: row.answers.count(None))


def last_turn(prompt: str) -> str:
    messages = json.loads(prompt)
    return str(messages[-1]["content"]) if messages else ""


def overlaid_charts(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A chart for each figure that any of the runs draws: {"title", "help", "key"}, in the order of their own pages."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        for chart in charts_of(run.algorithm):
            for series in chart["series"]:
                title = title_of(chart["title"], series["label"])
                found.setdefault(series["key"], {"title": title, "help": chart["help"], "key": series["key"]})
    return list(found.values())


def title_of(chart: str, series: str) -> str:
    """The chart's title with the series' name, unless that only says which set it is from: "Rewards: chosen"."""
    name = series.removesuffix(", held out")
    return chart if name in ("Training", "Held out") else f"{chart}: {name[:1].lower()}{name[1:]}"


def table_of(runs: Sequence[Run], events: Sequence[RunEvent]) -> list[Line]:
    """The last figure of every key that a run's events have, held out where there is one. `events` are oldest first."""
    last: dict[int, dict[str, float]] = {run.pk: {} for run in runs}
    for kind in (TRAIN, EVAL):
        for event in events:
            if event.kind == kind:
                last[event.run_id].update(numbers(event.data))
    keys = [chart["key"] for chart in overlaid_charts(runs)]
    lines = [Line(key, tuple(spell(last[run.pk].get(key)) for run in runs)) for key in keys]
    return [line for line in lines if set(line.cells) != {ABSENT}]


def numbers(data: Mapping[str, Any]) -> dict[str, float]:
    return {key: value for key, value in data.items() if isinstance(value, int | float)}


def spell(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.4g}".replace("-", "−")
