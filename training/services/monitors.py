"""The monitors at work beside a run: they see every event that is copied, and raise alarms."""

from __future__ import annotations

from collections.abc import Iterable

from training.algorithms.configs import ALGORITHMS
from training.models import Run
from training.monitoring.examine import examine
from training.monitoring.history import History
from training.services.alarms import raise_alarm
from training.services.run_events import Event


class Watch:
    """One run's history, from its first event on, for as long as a worker follows it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.history = History()
        self.raised: set[tuple[str, str]] = set()

    def start_over(self) -> None:
        """The trainer has gone back to a checkpoint and tells its steps again."""
        self.history = History()

    def look(self, events: Iterable[Event]) -> None:
        """Take in what is new and raise an alarm for everything that has gone wrong since."""
        if not self.history.add(events):
            return
        algorithm = self.run.algorithm
        for verdict in examine(self.history, algorithm=algorithm, samples_itself=ALGORITHMS[algorithm].scores):
            if (verdict.kind, verdict.severity) not in self.raised:
                self.raised.add((verdict.kind, verdict.severity))
                raise_alarm(
                    project=self.run.project,
                    run=self.run,
                    kind=verdict.kind,
                    severity=verdict.severity,
                    message=verdict.message,
                    remedy=verdict.remedy,
                    facts=verdict.facts,
                )
