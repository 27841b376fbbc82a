from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from annotate.forms.lines import LinesField
from annotate.models import QuestionnaireItem

PREFER_NOT = "Prefer not to say"


class ItemForm(forms.Form):
    question = forms.CharField(max_length=300, help_text="For example: Which of these is your first language?")
    options = LinesField(
        label="Answers",
        help_text="2 to 30, one a line. “Prefer not to say” is always offered besides.",
        required=True,
    )

    def clean_options(self) -> list[str]:
        options = [option for option in self.cleaned_data["options"] if option.lower() != PREFER_NOT.lower()]
        if not 2 <= len(options) <= 30:
            raise forms.ValidationError(f"There are {len(options)} answers; give from 2 to 30, one a line.")
        if long := next((option for option in options if len(option) > 120), None):
            raise forms.ValidationError(f"“{long[:30]}…” has {len(long)} characters; shorten it to 120.")
        return options


class BackgroundForm(forms.Form):
    """One group of choices a question, "prefer not to say" chosen until something else is."""

    def __init__(
        self, data: Any = None, *, items: Sequence[QuestionnaireItem], answers: Mapping[int, str], consented: bool
    ) -> None:
        super().__init__(data)
        for item in items:
            choices = [*((option, option) for option in item.options), ("", PREFER_NOT)]
            initial = answers.get(item.pk, "")
            self.fields[f"item-{item.pk}"] = forms.ChoiceField(
                label=item.question,
                choices=choices,
                required=False,
                initial=initial if initial in item.options else "",
                widget=forms.RadioSelect,
            )
        self.fields["consent"] = forms.BooleanField(
            label="I agree that this project keeps these answers and evaluates judgements by groups of people.",
            initial=consented,
            error_messages={"required": "Tick this to agree. Without your consent nothing is kept."},
        )

    def answers(self) -> dict[int, str]:
        given = self.cleaned_data.items()
        return {int(name.removeprefix("item-")): answer for name, answer in given if name.startswith("item-")}
