"""Rating questions as an owner types them, one a line:

Overall quality | 7 | terrible | excellent
Grade | D, C, B, A
Mentions its sources | No, Yes | optional

The number of points with the words of the lowest and the highest, or a name for each value, from the lowest up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from annotate.kinds.options import OptionsError, Question

MOST_QUESTIONS = 12
POINTS = range(2, 10)  # each answered by one digit
MOST_CHARACTERS = 120
MOST_KEY = 40


def write_questions(questions: Iterable[Question]) -> list[str]:
    return [write_question(question) for question in questions]


def write_question(question: Question) -> str:
    scale = [", ".join(question.names)] if question.names else [str(question.points), question.low, question.high]
    parts = [question.label, *scale] if any(scale[1:]) or question.names else [question.label, scale[0]]
    return " | ".join(parts if question.required else [*parts, "optional"])


def read_questions(lines: Sequence[str]) -> tuple[Question, ...]:
    """Raises OptionsError naming the line and what to do."""
    if not lines:
        raise OptionsError("There is no question. Write one, as in “Overall quality | 7 | terrible | excellent”.")
    if len(lines) > MOST_QUESTIONS:
        raise OptionsError(
            f"There are {len(lines)} questions; at most {MOST_QUESTIONS} fit. Remove {len(lines) - MOST_QUESTIONS}."
        )
    questions = tuple(read_question_line(number, line) for number, line in enumerate(lines, 1))
    if not questions[0].required:
        raise OptionsError(f"Line 1, “{questions[0].label}”: the first question is what trains; it cannot be optional.")
    refuse_twins(questions)
    return questions


def refuse_twins(questions: Sequence[Question]) -> None:
    lines: dict[str, int] = {}
    for number, question in enumerate(questions, 1):
        if question.key in lines:
            first = lines[question.key]
            raise OptionsError(f"Lines {first} and {number} ask the same, “{question.label}”. Change one of them.")
        lines[question.key] = number


def read_question_line(number: int, line: str) -> Question:
    parts = [part.strip() for part in line.split("|")]
    is_optional = parts[-1].lower() == "optional"
    label, *scale = parts[:-1] if is_optional else parts
    where = f"Line {number}, “{line.strip()[:40]}”"
    if not label or not question_key(label):
        raise OptionsError(f"{where}: begin with the question itself, in letters.")
    if long := next((part for part in parts if len(part) > MOST_CHARACTERS), None):
        raise OptionsError(f"{where}: “{long[:30]}…” has {len(long)} characters; shorten it to {MOST_CHARACTERS}.")
    points, names, low, high = read_scale(where, scale)
    return Question(
        key=question_key(label), label=label, points=points, names=names, low=low, high=high, required=not is_optional
    )


def read_scale(where: str, scale: Sequence[str]) -> tuple[int, tuple[str, ...], str, str]:
    """(points, a name for each, the words of the lowest, of the highest); 7 points when nothing is said."""
    first, *words = scale or ["7"]
    if first.isascii() and first.isdigit():
        if int(first) not in POINTS:
            raise OptionsError(f"{where}: {first} points; give from {POINTS[0]} to {POINTS[-1]}.")
        if len(words) not in (0, 2):
            raise OptionsError(f"{where}: after the points come two words, those of the lowest and of the highest.")
        low, high = words or ("", "")
        return int(first), (), low, high
    names = tuple(name.strip() for name in first.split(",") if name.strip())
    if words or len(names) not in POINTS or len(set(names)) < len(names):
        raise OptionsError(
            f"{where}: after the question comes a number of points, or {POINTS[0]} to {POINTS[-1]} different names "
            "with commas between them, the lowest first."
        )
    return len(names), names, "", ""


def question_key(label: str) -> str:
    """ "Overall quality" is "overall-quality"."""
    return re.sub(r"\W+", "-", label.lower()).strip("-_")[:MOST_KEY]
