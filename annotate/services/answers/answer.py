"""What every kind of answer has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from annotate.models import Judgement
from annotate.services.answers.shown import Shown


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person said about a task, by letter as the page showed it. `said` is the kind's own part.

    `shown` is what the letters stand for, where it is known already; else it is read again.
    """

    said: Any
    rationale: str = ""
    flags: Mapping[str, list[str]] = field(default_factory=dict)  # {letter: flags}
    shown: Sequence[Shown] = ()


@dataclass(frozen=True, kw_only=True)
class AnswerKind:
    """What a kind of judgement does with its answer.

    row       what was said as the row that stands beside the judgement, under its number; not stored yet
    draft_of  the saved answer as the fields it would be typed as, without flags and rationale
    describe  the saved answer in words; the names of the responses are given by id
    agreed    the saved answer as JSON by response id: what an agreed answer is stored as and compared with
    matches   whether an answer (as `agreed` gives it) is the agreed one; None where no answer is right or wrong
    related   the judgement's attribute that holds the row, for select_related
    """

    related: str
    row: Callable[[Judgement, Sequence[Shown], Any], Model]
    draft_of: Callable[[Judgement, Sequence[Shown]], dict[str, Any]]
    describe: Callable[[Judgement, Mapping[int, str]], str]
    agreed: Callable[[Judgement], Any] | None = None
    matches: Callable[[Any, Any], bool] | None = None
