from __future__ import annotations

from typing import Any

from django import forms

from annotate.forms.snapshots import tags_of
from annotate.models import Kind, Project, Purpose
from annotate.services.new_tasks import USUAL_SIZES, Plan, allowed_sizes
from annotate.services.project_kinds import enabled_kinds
from annotate.services.task_admin import MOST_PEOPLE


class TaskFilterForm(forms.Form):
    STATES = (("", "All"), ("open", "Open"), ("held", "Held"), ("done", "Done"), ("closed", "Closed"))

    state = forms.ChoiceField(choices=STATES, required=False)
    kind = forms.ChoiceField(choices=[("", "Every kind"), *Kind.choices], required=False)
    purpose = forms.ChoiceField(choices=[("", "Every purpose"), *Purpose.choices], required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class OverlapForm(forms.Form):
    required = forms.IntegerField(label="People to judge it", min_value=1, max_value=MOST_PEOPLE)


class NewTasksForm(forms.Form):
    kind = forms.ChoiceField(label="Kind of judgement")
    size = forms.IntegerField(
        label="Responses per task",
        required=False,
        min_value=0,
        max_value=9,
        help_text="A prompt’s responses are taken in the order they came, neighbours together; a text is taken once. "
        "Empty: 2 to compare, 4 to rank, 2 to rate, 1 to edit or mark. For demonstrations: suggestions, 0 to 3.",
    )
    tag = forms.ChoiceField(label="Prompts", required=False)
    only_new = forms.BooleanField(label="Only prompts without a task of this kind", required=False, initial=True)
    with_written = forms.BooleanField(label="Also responses that people wrote here", required=False)
    overlap = forms.IntegerField(label="People per task", min_value=1, max_value=MOST_PEOPLE)
    priority = forms.IntegerField(
        initial=0, min_value=-1000, max_value=1000, help_text="The queue hands out the highest first."
    )

    def __init__(self, data: Any, *, project: Project) -> None:
        super().__init__(data, label_suffix="", initial={"overlap": project.overlap})
        self.fields["kind"] = forms.ChoiceField(
            label="Kind of judgement",
            choices=[(kind.value, kind.label) for kind in enabled_kinds(project) if kind in USUAL_SIZES],
        )
        tags = [(tag, f"Tagged {tag}") for tag in tags_of(project)]
        self.fields["tag"] = forms.ChoiceField(label="Prompts", required=False, choices=[("", "All prompts"), *tags])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("kind") and "size" in data:
            kind = Kind(data["kind"])
            data["size"] = USUAL_SIZES[kind] if data["size"] is None else data["size"]
            sizes = allowed_sizes(kind)
            if data["size"] not in sizes:
                few, many = sizes[0], sizes[-1]
                words = f"{few}" if few == many else f"from {few} to {many}"
                self.add_error("size", f"{data['size']} is not possible: {kind.label} takes {words}.")
        return data

    def plan(self) -> Plan:
        """What a valid form asks for; the usual, when it was not filled in."""
        if not self.is_bound:
            return Plan(kind=Kind.COMPARISON, size=USUAL_SIZES[Kind.COMPARISON])
        data = self.cleaned_data
        return Plan(
            kind=Kind(data["kind"]),
            size=data["size"],
            tag=data["tag"],
            only_new=data["only_new"],
            with_written=data["with_written"],
        )
