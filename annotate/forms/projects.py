from typing import Any, ClassVar

from django import forms

from annotate.models import Project, Role
from annotate.models.projects import SCALE_MAXIMUM

FIRST_GUIDELINES = """## What to look for

Choose the response you would rather have received. A good response

- **helps**: it does what was asked, completely;
- is **honest**: it makes nothing up and says what it does not know;
- is **harmless**: it hurts nobody.

The further out on the scale, the surer you are. If both are equally good, say so.
"""


class LinesField(forms.Field):
    """A list of short texts, one a line in a text area."""

    widget = forms.Textarea(attrs={"rows": 5})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        if any("\x00" in line for line in lines):
            raise forms.ValidationError("There is a null character in it, which no text may have. Remove it.")
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data or "")


class ProjectCreateForm(forms.Form):
    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autofocus": True}))
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What is collected here and why, in a sentence or two. Everybody in the project reads it.",
    )
    guidelines = forms.CharField(
        max_length=100_000,
        initial=FIRST_GUIDELINES,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="How people should judge, in Markdown. You can change it later; every judgement knows its version.",
    )


class ProjectSettingsForm(forms.ModelForm):
    flag_options = LinesField(
        label="Flags for a response",
        required=False,
        help_text="What people may mark a response with, one a line, at most 20 of 60 characters each.",
    )

    class Meta:
        model = Project
        fields: ClassVar = [
            "name",
            "description",
            "scale_points",
            "allow_tie",
            "allow_both_bad",
            "rationale",
            "flag_options",
            "overlap",
            "lease_minutes",
        ]
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts: ClassVar = {
            "scale_points": "Judgements made before keep the scale they were made on.",
            "allow_tie": "Scales with a middle always allow one.",
            "allow_both_bad": "Apart from a tie: neither response is acceptable.",
            "rationale": "Whether people say in words why they chose.",
            "overlap": "How many different people judge each new task. Tasks that exist keep theirs.",
            "lease_minutes": "A task is given to somebody else when its page has been closed for this long.",
        }

        error_messages: ClassVar = {
            "overlap": dict.fromkeys(("min_value", "max_value", "invalid"), "Give a whole number from 1 to 50."),
            "lease_minutes": dict.fromkeys(("min_value", "max_value", "invalid"), "Give a whole number from 1 to 240."),
        }

    def clean_flag_options(self) -> list[str]:
        flags = self.cleaned_data["flag_options"]
        if len(flags) > 20:
            raise forms.ValidationError(f"There are {len(flags)} flags; at most 20 fit. Remove {len(flags) - 20}.")
        if long := next((flag for flag in flags if len(flag) > 60), None):
            raise forms.ValidationError(f"“{long[:30]}…” has {len(long)} characters; shorten it to 60.")
        return flags

    def clean_scale_points(self) -> int:
        points = int(self.cleaned_data["scale_points"])
        if points not in SCALE_MAXIMUM:
            raise forms.ValidationError(f"There is no scale of {points} points. Choose one of the list.")
        return points


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class GuidelinesForm(forms.Form):
    body = forms.CharField(
        label="Guidelines",
        max_length=100_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24}),
        help_text="Markdown: headings, lists, tables, links, code. Saving a changed text makes a new version.",
    )

    def clean_body(self) -> str:
        body = self.cleaned_data["body"].replace("\r\n", "\n")
        if not body.strip():
            raise forms.ValidationError("The guidelines are empty. Write at least a sentence.")
        return body
