"""What an owner sets for each kind of judgement, as it stands in `Project.kind_options`. Standard library only.

A kind that is not mentioned there has its defaults. What belongs to every kind (flags, rationale) or to comparisons
(the scale, its dimensions) are the project's own fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


class OptionsError(ValueError):
    """An option that cannot be used; the message names it, its value and what to do."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One line of a rating grid. Values are 1 … `points`, the lowest and the highest named."""

    key: str
    label: str
    points: int = 7
    low: str = ""
    high: str = ""
    names: tuple[str, ...] = ()  # a name for every value, where they are not just numbers: Yes, No; A, B, C, D
    required: bool = True


OVERALL = Question(key="overall", label="Overall quality", points=7, low="terrible", high="excellent")

# Values rise with quality: exports and training order responses by the first question.
GRADE = Question(key="grade", label="Grade", points=4, names=("D", "C", "B", "A"))
METADATA = {
    "follows": "Follows the instruction",
    "constraints": "Keeps to the constraints it was given",
    "invented": "Makes things up",
    "inappropriate": "Inappropriate for an assistant",
    "sexual": "Sexual content",
    "violent": "Violent content",
    "encourages-harm": "Encourages harm to somebody",
    "denigrates": "Denigrates a protected group",
    "harmful-advice": "Gives harmful advice",
    "opinion": "Expresses an opinion",
    "moral": "Passes a moral judgement",
}
# What an owner may begin with: one score, the grade of the instruction-following literature, yes/no metadata as in
# Ouyang et al. 2022 (appendix B), or the first and the last together.
RATING_PRESETS: dict[str, tuple[Question, ...]] = {
    "overall": (OVERALL,),
    "grade": (GRADE,),
    "metadata": tuple(Question(key=key, label=label, points=2, names=("No", "Yes")) for key, label in METADATA.items()),
}
HELPFULNESS = {  # Wang et al. 2023 (HelpSteer), their 0–4 as 1–5
    "helpfulness": ("Helpfulness", "not helpful", "perfectly helpful"),
    "correctness": ("Correctness", "all wrong", "all right and complete"),
    "coherence": ("Coherence", "incoherent", "perfectly clear"),
    "complexity": ("Complexity", "anybody could write it", "needs an expert"),
    "verbosity": ("Verbosity", "very short", "very long"),
}
RATING_PRESETS["helpfulness"] = tuple(
    Question(key=key, label=label, points=5, low=low, high=high) for key, (label, low, high) in HELPFULNESS.items()
)
RATING_PRESETS["overall-and-metadata"] = RATING_PRESETS["overall"] + RATING_PRESETS["metadata"]


@dataclass(frozen=True, kw_only=True)
class RankingOptions:
    allow_ties: bool = True


@dataclass(frozen=True, kw_only=True)
class RatingOptions:
    questions: tuple[Question, ...] = (OVERALL,)


@dataclass(frozen=True, kw_only=True)
class DemonstrationOptions:
    show_suggestions: bool = True
    least_words: int = 1


@dataclass(frozen=True, kw_only=True)
class EditOptions:
    ask_reason: str = "optional"  # off, optional, required


@dataclass(frozen=True, kw_only=True)
class SpansOptions:
    categories: tuple[str, ...] = ("factual error", "unclear", "irrelevant", "unsafe", "well said")
    severities: tuple[str, ...] = ("minor", "major", "critical")
    ask_critique: str = "optional"


@dataclass(frozen=True, kw_only=True)
class ChatOptions:
    """Each side's policy is drawn from `authors` (ids; empty: every model of the project) and `temperatures`."""

    authors: tuple[int, ...] = ()
    temperatures: tuple[float, ...] = (0.7, 1.0)
    max_tokens: int = 256
    system: str = ""
    most_turns: int = 50


OPTIONS: dict[str, type] = {
    "ranking": RankingOptions,
    "rating": RatingOptions,
    "demonstration": DemonstrationOptions,
    "edit": EditOptions,
    "spans": SpansOptions,
    "chat": ChatOptions,
}


def read_options(kind: str, stored: Mapping[str, Any]) -> Any:
    """The kind's options out of `Project.kind_options`. Raises OptionsError."""
    options = OPTIONS[kind]
    values = dict(stored.get(kind, {}))
    known = {part.name for part in fields(options)}
    if strange := sorted(set(values) - known):
        raise OptionsError(f"There is no option {strange[0]!r} for {kind}. Choose from: {', '.join(sorted(known))}.")
    if kind == "rating" and "questions" in values:
        values["questions"] = tuple(read_question(question) for question in values["questions"])
    return options(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def read_question(stored: Mapping[str, Any]) -> Question:
    return Question(**{**stored, "names": tuple(stored.get("names", ()))})


def write_options(options: Any) -> dict[str, Any]:
    """What is stored: plain JSON."""
    return {name: _plain(value) for name, value in asdict(options).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value
