"""The forms of the judging page. What they hold is by side, as the page shows it: A is left, B is right."""

from dataclasses import dataclass
from typing import Any

from django import forms

from annotate.models import Project
from annotate.services.judging import ComparisonAnswer

BOTH_BAD = "both-bad"
STRENGTHS = {
    1: ["better"],
    2: ["slightly better", "much better"],
    3: ["slightly better", "better", "much better"],
    4: ["barely better", "slightly better", "better", "much better"],
}
SKIP_REASONS = [
    ("unknown", "I do not know enough about this"),
    ("language", "I cannot read this language"),
    ("unclear", "The prompt makes no sense"),
    ("same", "The responses say the same"),
    ("upsetting", "It is harmful or upsetting"),
    ("broken", "Something does not display"),
    ("other", "Another reason"),
]
CHOICE_ERRORS = {
    "required": "Choose which response is better.",
    "invalid_choice": "“%(value)s” is not on this project's scale. Choose one of the answers shown.",
}


@dataclass(frozen=True)
class StripPoint:
    """One cell of the strip: what it posts, the key that presses it and its words."""

    value: str
    key: str
    side: str  # "a", "b" or "tie"
    words: str
    strength: str  # as many dots as it is strong, for narrow screens
    checked: bool


def describe_choice(choice: str, strongest: int) -> str:
    """The words for a value of the strip: "-4" on a scale to 4 is "A much better"."""
    if choice == BOTH_BAD:
        return "Both bad"
    value = int(choice)
    if value == 0:
        return "Tie"
    return f"{'A' if value < 0 else 'B'} {STRENGTHS[strongest][abs(value) - 1]}"


def offered_choices(project: Project) -> dict[str, str]:
    """{value: words} of everything the project lets a person answer, in the order of the page."""
    values = [str(value) for value in project.preference_values()]
    if project.accepts_tie() and "0" not in values:
        values.append("0")
    if project.allow_both_bad:
        values.append(BOTH_BAD)
    return {value: describe_choice(value, max(project.preference_values())) for value in values}


class ComparisonForm(forms.Form):
    """The answer to a comparison, checked against the project's scale and rules."""

    submission_id = forms.UUIDField()
    active_seconds = forms.FloatField(required=False, min_value=0)
    rationale = forms.CharField(
        required=False,
        max_length=20_000,
        error_messages={"required": "Say in a sentence why. This project asks for a reason."},
    )

    def __init__(
        self, data: Any = None, *, project: Project, initial: dict[str, Any] | None = None, lenient: bool = False
    ) -> None:
        """`lenient` takes what is there so far: a draft."""
        super().__init__(data, initial=initial)
        self.project = project
        self.offered = offered_choices(project)
        self.fields["choice"] = forms.ChoiceField(choices=list(self.offered.items()), error_messages=CHOICE_ERRORS)
        flags = [(flag, flag) for flag in project.flag_options]
        for name in ("flags_left", "flags_right"):
            self.fields[name] = forms.MultipleChoiceField(choices=flags, required=False)
        self.fields["rationale"].required = project.rationale == Project.Rationale.REQUIRED
        if lenient:
            for field in self.fields.values():
                field.required = False

    def strip(self) -> list[StripPoint]:
        """The scale from A to B, keys 1, 2, …"""
        return [
            self._point(str(value), str(number)) for number, value in enumerate(self.project.preference_values(), 1)
        ]

    def strongest_words(self) -> str:
        return STRENGTHS[max(self.project.preference_values())][-1]

    def extras(self) -> list[StripPoint]:
        """The answers beside the scale: a tie where the scale has no middle, both bad."""
        scale, keys = {point.value for point in self.strip()}, {"0": "0", BOTH_BAD: "9"}
        return [self._point(value, keys[value]) for value in self.offered if value not in scale]

    def flag_fields(self) -> list[tuple[str, forms.BoundField]]:
        return [("A", self["flags_left"]), ("B", self["flags_right"])]

    def _point(self, value: str, key: str) -> StripPoint:
        side = "tie" if value in ("0", BOTH_BAD) else "a" if value.startswith("-") else "b"
        strength = "" if side == "tie" else "•" * abs(int(value))
        return StripPoint(value, key, side, self.offered[value], strength, checked=str(self["choice"].value()) == value)

    def answer(self) -> ComparisonAnswer:
        data = self.cleaned_data
        return ComparisonAnswer(
            preference=None if data["choice"] == BOTH_BAD else int(data["choice"]),
            points=self.project.scale_points,
            flags_left=data["flags_left"],
            flags_right=data["flags_right"],
            rationale=data["rationale"].strip(),
        )

    def draft(self) -> dict[str, Any]:
        """What to keep of a lenient form; empty when there is nothing worth keeping."""
        data = {name: self.cleaned_data.get(name) for name in ("choice", "rationale", "flags_left", "flags_right")}
        return {**data, "active_seconds": self.cleaned_data.get("active_seconds")} if any(data.values()) else {}


class SkipForm(forms.Form):
    """Why a task is left to somebody else."""

    submission_id = forms.UUIDField()
    active_seconds = forms.FloatField(required=False, min_value=0)
    reason = forms.ChoiceField(
        choices=SKIP_REASONS, error_messages={"required": "Choose why you skip this task."}, widget=forms.RadioSelect
    )
    other = forms.CharField(required=False, max_length=190, label="Another reason")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("reason") == "other" and not data.get("other", "").strip():
            self.add_error("other", "Say in a few words what the other reason is.")
        return data

    def reason_in_words(self) -> str:
        chosen = self.cleaned_data["reason"]
        return self.cleaned_data["other"].strip() if chosen == "other" else dict(SKIP_REASONS)[chosen]
