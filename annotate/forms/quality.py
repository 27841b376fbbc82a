from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from annotate.models import Project


class PercentField(forms.FloatField):
    """A share between 0 and 1, typed as a percentage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, step_size=1, **options)
        self.error_messages |= dict.fromkeys(
            ("min_value", "max_value", "invalid", "required", "step_size"), "Give a whole number from 0 to 100."
        )

    def prepare_value(self, value: Any) -> Any:
        return round(value * 100) if isinstance(value, float) else value

    def clean(self, value: Any) -> float:
        return float(super().clean(value)) / 100


class QualitySettingsForm(forms.ModelForm):
    qualification_pass = PercentField(
        label="Qualification tasks to get right, in per cent",
        help_text="Below it, nobody begins the work until a reviewer lets them try again.",
    )
    gold_rate = PercentField(
        label="Gold among the work, in per cent", help_text="How often a task whose answer is known is handed out."
    )
    gold_warn_below = PercentField(
        label="Warn below this share of gold right, in per cent", help_text="Of a person's last 20, from the fifth on."
    )
    gold_pause_below = PercentField(
        label="Pause below this share of gold right, in per cent",
        help_text="A paused person judges nothing until a reviewer lets them go on.",
    )
    mirror_rate = PercentField(
        label="Repeats with the sides turned, in per cent",
        help_text="Each is something the same person judged ten or more judgements ago. Repeats train nothing.",
    )

    class Meta:
        model = Project
        fields: ClassVar = [
            "qualification_pass",
            "gold_rate",
            "gold_warn_below",
            "gold_pause_below",
            "mirror_rate",
            "show_agreed_answers",
            "allow_skip",
            "reading_warning",
        ]
        help_texts: ClassVar = {
            "show_agreed_answers": "Practice is explained anyway. Explained gold teaches, and measures no more.",
            "allow_skip": "When off, no task can be left to somebody else, and so no gold either.",
            "reading_warning": "A line that asks whether they are done. It keeps nobody from going on.",
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        warn, pause = data.get("gold_warn_below"), data.get("gold_pause_below")
        if warn is not None and pause is not None and pause > warn:
            self.add_error(
                "gold_pause_below", f"Give at most {warn * 100:.0f} %, so that people are warned before a pause."
            )
        if (data.get("gold_rate") or 0) + (data.get("mirror_rate") or 0) > 0.5:
            self.add_error("mirror_rate", "Gold and repeats together would be more than half of what people do.")
        return data


class StandingForm(forms.Form):
    """What a reviewer decides about a person."""

    DECISIONS = (("lift", "Go on"), ("pause", "Pause"), ("retry", "Try again"), ("qualify", "Qualify"))

    decision = forms.ChoiceField(choices=DECISIONS, error_messages={"invalid_choice": "There is no such decision."})
    reason = forms.CharField(required=False, max_length=300)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("decision") == "pause" and not self.cleaned_data.get("reason", "").strip():
            self.add_error("reason", "Say why; the person reads it.")
        return self.cleaned_data
