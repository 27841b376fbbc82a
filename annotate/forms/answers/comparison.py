"""The form of a comparison: one strip for the overall answer, and one for each named dimension."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django import forms

from annotate.forms.answers.answer_form import AnswerForm
from annotate.models import Project
from annotate.services.answers.comparison import BOTH_BAD, STRENGTHS, ComparisonAnswer, dimension_field, say

CHOICE_ERRORS = {
    "required": "Choose which response is better.",
    "invalid_choice": "“%(value)s” is not on this project's scale. Choose one of the answers shown.",
}


@dataclass(frozen=True)
class StripPoint:
    """One cell of a strip: what it posts, the key that presses it and its words."""

    name: str  # of the field
    value: str
    key: str
    side: str  # "a", "b" or "tie"
    words: str
    strength: str  # as many dots as it is strong, for narrow screens
    checked: bool


@dataclass(frozen=True)
class Strip:
    """The scale of one question from A to B, keys 1, 2, …, and the answers beside it: tie, both bad."""

    name: str
    label: str
    points: list[StripPoint]
    extras: list[StripPoint]


def offered_choices(project: Project, *, both_bad: bool) -> dict[str, str]:
    """{value: words} of everything the project lets a person answer, in the order of the page."""
    values = project.preference_values()
    if project.accepts_tie() and 0 not in values:
        values = [*values, 0]
    offered = {str(value): say(value, project.scale_points, ("A", "B")) for value in values}
    return {**offered, BOTH_BAD: "Both bad"} if both_bad else offered


class ComparisonForm(AnswerForm):
    def add_fields(self) -> None:
        self.offered = {"choice": offered_choices(self.project, both_bad=self.project.allow_both_bad)}
        labels = {"choice": "Overall"}
        for dimension in self.project.dimensions:
            name = dimension_field(dimension)
            self.offered[name], labels[name] = offered_choices(self.project, both_bad=False), dimension
        for name, offered in self.offered.items():
            self.fields[name] = choice_field(tuple(offered.items()), labels[name], is_overall=name == "choice")

    def strips(self) -> list[Strip]:
        """The named dimensions, then the overall answer."""
        names = [*(name for name in self.offered if name != "choice"), "choice"]
        return [self._strip(name) for name in names]

    def strongest_words(self) -> str:
        return STRENGTHS[max(self.project.preference_values())][-1]

    def _strip(self, name: str) -> Strip:
        values = [str(value) for value in self.project.preference_values()]
        beside = {"0": "0", BOTH_BAD: "9"}
        return Strip(
            name=name,
            label=str(self.fields[name].label),
            points=[self._point(name, value, str(key)) for key, value in enumerate(values, 1)],
            extras=[self._point(name, value, beside[value]) for value in self.offered[name] if value not in values],
        )

    def _point(self, name: str, value: str, key: str) -> StripPoint:
        side = "tie" if value in ("0", BOTH_BAD) else "a" if value.startswith("-") else "b"
        strength = "" if side == "tie" else "•" * abs(int(value))
        checked = str(self[name].value()) == value
        return StripPoint(name, value, key, side, self.offered[name][value], strength, checked=checked)

    def said(self) -> ComparisonAnswer:
        data = self.cleaned_data
        dimensions = {name: int(data[dimension_field(name)]) for name in self.project.dimensions}
        preference = None if data["choice"] == BOTH_BAD else int(data["choice"])
        return ComparisonAnswer(preference=preference, points=self.project.scale_points, dimensions=dimensions)


@lru_cache(maxsize=256)
def choice_field(choices: tuple[tuple[str, str], ...], label: str, *, is_overall: bool) -> forms.ChoiceField:
    """Made once for each scale: a form changes none of its fields."""
    errors = CHOICE_ERRORS if is_overall else dimension_errors(label)
    return forms.ChoiceField(choices=choices, error_messages=errors, label=label)


def dimension_errors(label: str) -> dict[str, str]:
    return {**CHOICE_ERRORS, "required": f"Choose which response is more {label}."}
