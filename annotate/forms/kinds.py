"""What an owner sets for each kind of judgement: a form a kind, whose fields are named as the kind's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django import forms

from annotate.forms.lines import LinesField
from annotate.kinds.options import OPTIONS, RATING_PRESETS, OptionsError, read_options
from annotate.kinds.question_lines import read_questions, write_questions
from annotate.models import Author, Kind, Project

ASKED = [("off", "Not asked"), ("optional", "Optional"), ("required", "Required")]
PRESET_LABELS = {
    "overall": "One overall score, 1–7",
    "grade": "Grade, A–D",
    "metadata": "Yes/no metadata",
    "overall-and-metadata": "Overall score and yes/no metadata",
    "helpfulness": "Helpfulness, correctness, coherence, complexity, verbosity",
}
MOST_TEMPERATURES = 8


class KindForm(forms.Form):
    """Starts from the project's options. `preset` is the name of something to start from instead."""

    kind: Kind

    def __init__(self, data: Any = None, *, project: Project, preset: str = "") -> None:
        stored = read_options(self.kind, project.kind_options)
        values = {part.name: getattr(stored, part.name) for part in fields(stored)}
        super().__init__(data, label_suffix="", initial={**self.as_typed(values), **self.from_preset(preset)})
        self.project = project

    def as_typed(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def from_preset(self, name: str) -> dict[str, Any]:
        return {}

    def presets(self) -> list[tuple[str, str]]:
        """(name, label) of what there is to start from."""
        return []

    def options(self) -> Any:
        """The options that a valid form says."""
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in self.cleaned_data.items()}
        return OPTIONS[self.kind](**values)


class RankingKindForm(KindForm):
    kind = Kind.RANKING

    allow_ties = forms.BooleanField(
        label="Allow ties", required=False, help_text="Two responses may share a place: D > C > A = B."
    )


class RatingKindForm(KindForm):
    kind = Kind.RATING

    questions = LinesField(
        label="Questions",
        required=True,
        help_text="One a line, at most 12: the question, then a number of points with the words of the lowest and the "
        "highest (Overall quality | 7 | terrible | excellent), or a name for each value from the lowest up "
        "(Grade | D, C, B, A). “| optional” at the end lets people leave it out. The first question is the overall "
        "one: exports and training order responses by it, the highest value first.",
    )

    def as_typed(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "questions": write_questions(values["questions"])}

    def from_preset(self, name: str) -> dict[str, Any]:
        return {"questions": write_questions(RATING_PRESETS[name])} if name in RATING_PRESETS else {}

    def presets(self) -> list[tuple[str, str]]:
        return [(name, PRESET_LABELS[name]) for name in RATING_PRESETS]

    def clean_questions(self) -> Any:
        try:
            return read_questions(self.cleaned_data["questions"])
        except OptionsError as error:
            raise forms.ValidationError(str(error)) from error


class DemonstrationKindForm(KindForm):
    kind = Kind.DEMONSTRATION

    show_suggestions = forms.BooleanField(
        label="Offer responses of models to start from",
        required=False,
        help_text="Hidden until asked for. It is recorded which one was taken, and how far the text moved from it.",
    )
    least_words = forms.IntegerField(label="Fewest words", min_value=1, max_value=2000)


class EditKindForm(KindForm):
    kind = Kind.EDIT

    ask_reason = forms.ChoiceField(
        label="Reason", choices=ASKED, help_text="Whether people say in words what they changed and why."
    )


class SpansKindForm(KindForm):
    kind = Kind.SPANS

    categories = LinesField(
        label="Categories",
        required=True,
        help_text="What a marked passage may be, one a line, at most 9 of 60 characters each. A digit chooses one.",
        most=9,
        longest=60,
        what="categories",
    )
    severities = LinesField(
        label="Severities",
        required=True,
        help_text="How much it matters, one a line, the mildest first, at most 9 of 60 characters each.",
        most=9,
        longest=60,
        what="severities",
    )
    ask_critique = forms.ChoiceField(
        label="Critique", choices=ASKED, help_text="Whether people write about the response as a whole."
    )


class TemperaturesField(LinesField):
    """Numbers from 0 to 2, one a line."""

    def clean(self, value: Any) -> list[float]:
        return [self.number(number, line) for number, line in enumerate(super().clean(value), 1)]

    def number(self, number: int, line: str) -> float:
        try:
            temperature = float(line.replace(",", "."))
        except ValueError as error:
            raise forms.ValidationError(f"Line {number}, “{line[:30]}”, is no number. Write one as 0.7.") from error
        if not 0 <= temperature <= 2:
            raise forms.ValidationError(f"Line {number}, “{line[:30]}”: a temperature is from 0 to 2.")
        return temperature


class ChatKindForm(KindForm):
    kind = Kind.CHAT

    temperatures = TemperaturesField(
        label="Temperatures",
        required=True,
        help_text="From 0 to 2, one a line. Each side draws a model and a temperature by lot; people see neither.",
        most=MOST_TEMPERATURES,
        what="temperatures",
    )
    max_tokens = forms.IntegerField(label="Longest answer, in tokens", min_value=16, max_value=4096)
    most_turns = forms.IntegerField(label="Most turns of a chat", min_value=1, max_value=200)
    system = forms.CharField(
        label="System text",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the models are told before the first message.",
    )

    def __init__(self, data: Any = None, *, project: Project, preset: str = "") -> None:
        super().__init__(data, project=project, preset=preset)
        models = Author.objects.of_project(project).that_answer().order_by("name")
        self.fields["authors"] = forms.TypedMultipleChoiceField(
            label="Models that answer",
            required=False,
            coerce=int,
            choices=[(author.pk, author.name) for author in models],
            widget=forms.CheckboxSelectMultiple,
            help_text="None chosen: every model of the project.",
        )
        self.order_fields(["authors"])

    def as_typed(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "temperatures": [f"{temperature:g}" for temperature in values["temperatures"]]}


KIND_FORMS: Mapping[Kind, type[KindForm]] = {
    form.kind: form
    for form in (RankingKindForm, RatingKindForm, DemonstrationKindForm, EditKindForm, SpansKindForm, ChatKindForm)
}
