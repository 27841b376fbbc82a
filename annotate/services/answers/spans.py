"""Fine-grained feedback: passages of a response marked with category and severity, and a critique."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from annotate.models import Judgement, SpanFeedback
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.passages import Passage
from annotate.services.answers.shown import Shown


@dataclass(frozen=True)
class SpansAnswer:
    passages: Sequence[Passage] = ()
    critique: str = ""


def row(judgement: Judgement, shown: Sequence[Shown], said: SpansAnswer) -> SpanFeedback:
    """The passages in the order of the text."""
    passages = sorted(said.passages, key=lambda passage: (passage.start, passage.end))
    return SpanFeedback(
        judgement=judgement,
        response=shown[0].response,
        spans=[asdict(passage) for passage in passages],
        critique=said.critique,
    )


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    feedback = judgement.span_feedback
    return {"spans": json.dumps(feedback.spans), "critique": feedback.critique}


def describe(judgement: Judgement, names: Mapping[int, str]) -> str:
    """ "Marked factual error × 2, unclear; with a critique"."""
    feedback = judgement.span_feedback
    counts = Counter(span["category"] for span in feedback.spans)
    marked = ", ".join(name if number == 1 else f"{name} × {number}" for name, number in counts.items())
    if not marked:
        return "A critique, nothing marked"
    return f"Marked {marked}; with a critique" if feedback.critique else f"Marked {marked}"


def agreed(judgement: Judgement) -> list[dict[str, Any]]:
    """Where what is wrong, or well said; how bad it is is a matter of taste."""
    return [{name: span[name] for name in ("start", "end", "category")} for span in judgement.span_feedback.spans]


def matches(said: Any, known: Any) -> bool:
    """Every known passage was met by one of its category that overlaps it, and nothing else was marked."""
    return all(any(_meet(one, other) for other in known) for one in said) and all(
        any(_meet(one, other) for other in said) for one in known
    )


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    overlap = min(one["end"], other["end"]) - max(one["start"], other["start"])
    return overlap > 0 and one["category"] == other["category"]


SPANS = AnswerKind(
    related="span_feedback", row=row, draft_of=draft_of, describe=describe, agreed=agreed, matches=matches
)
