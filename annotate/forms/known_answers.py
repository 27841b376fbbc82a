from __future__ import annotations

from django import forms

from annotate.models import Purpose


class KnownForm(forms.Form):
    """What a task with a known answer is for, and why that is the answer."""

    purpose = forms.ChoiceField(
        label="What it is for",
        choices=[
            (Purpose.GOLD, "Gold: mixed in with work, to measure answers"),
            (Purpose.PRACTICE, "Practice: before anything else, explained after each answer"),
            (Purpose.QUALIFICATION, "Qualification: after practice, to be passed before work"),
        ],
        initial=Purpose.GOLD,
        widget=forms.RadioSelect(attrs={"form": "answer"}),
        error_messages={"required": "Choose what the task is for.", "invalid_choice": "Choose one of the three."},
    )
    explanation = forms.CharField(
        label="Why this is the answer",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5, "form": "answer"}),
        help_text="Markdown. People read it after practice, and after gold where the project shows its answers.",
    )
