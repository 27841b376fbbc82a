from typing import ClassVar

from django import forms

from annotate.forms.lines import LinesField
from annotate.models import Project, Role
from annotate.models.projects import DEFAULT_DIMENSIONS, SCALE_MAXIMUM

FIRST_GUIDELINES = """## What to look for

Choose the response you would rather have received. A good response

- **helps**: it does what was asked, completely;
- is **honest**: it makes nothing up and says what it does not know;
- is **harmless**: it hurts nobody.

The further out on the scale, the surer you are. If both are equally good, say so.
"""


# The metadata of Ouyang et al. 2022 (appendix B), with what Llama 2 and HelpSteer3 ask besides.
USUAL_FLAGS = [
    "fails the task",
    "breaks a stated constraint",
    "made up facts",
    "refuses without need",
    "inappropriate for an assistant",
    "harmful advice",
    "unsafe",
    "sexual content",
    "violent content",
    "denigrates a group",
    "personal data",
    "expresses an opinion",
]
USUAL_LISTS = {"flag_options": USUAL_FLAGS, "dimensions": DEFAULT_DIMENSIONS}


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
    dimensions = LinesField(
        label="Dimensions",
        help_text="Asked beside the overall answer on the same scale, one a line, at most 8 of 40 characters each. "
        "Empty: one overall answer.",
        most=8,
        longest=40,
        what="dimensions",
    )
    flag_options = LinesField(
        label="Flags for a response",
        help_text="What people may mark a response with, one a line, at most 20 of 60 characters each.",
        most=20,
        longest=60,
        what="flags",
    )

    class Meta:
        model = Project
        fields: ClassVar = [
            "name",
            "description",
            "scale_points",
            "allow_tie",
            "allow_both_bad",
            "dimensions",
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
