"""Why a task is left to somebody else."""

from typing import Any

from django import forms

from annotate.models import Project

SKIP_REASONS = [
    ("unknown", "I do not know enough about this"),
    ("language", "I cannot read this language"),
    ("unclear", "The prompt makes no sense"),
    ("same", "The responses say the same"),
    ("upsetting", "It is harmful or upsetting"),
    ("broken", "Something does not display"),
    ("other", "Another reason"),
]


class SkipForm(forms.Form):
    """Why a task is left to somebody else."""

    submission_id = forms.UUIDField()
    active_seconds = forms.FloatField(required=False, min_value=0)
    reason = forms.ChoiceField(
        choices=SKIP_REASONS, error_messages={"required": "Choose why you skip this task."}, widget=forms.RadioSelect
    )
    other = forms.CharField(required=False, max_length=190, label="Another reason")

    def __init__(self, data: Any = None, *, project: Project) -> None:
        super().__init__(data)
        self.project = project

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not self.project.allow_skip:
            raise forms.ValidationError("No task is skipped in this project. Answer it as well as you can.")
        if data.get("reason") == "other" and not data.get("other", "").strip():
            self.add_error("other", "Say in a few words what the other reason is.")
        return data

    def reason_in_words(self) -> str:
        chosen = self.cleaned_data["reason"]
        return self.cleaned_data["other"].strip() if chosen == "other" else dict(SKIP_REASONS)[chosen]
