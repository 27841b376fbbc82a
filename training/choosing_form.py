"""The form of what to label next."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import QueryDict

from annotate.choosing.mixing import CONTRAST, INFORMATION, RANDOM, STRATEGIES, UNCERTAIN
from annotate.forms.snapshots import tags_of
from annotate.models import Project
from annotate.services.task_admin import MOST_PEOPLE
from training.models import ModelVersion

MOST_TASKS = 2_000
DEFAULT_MIX: dict[str, float] = {RANDOM: 1.0, UNCERTAIN: 0.0, INFORMATION: 0.0, CONTRAST: 0.0}
WORDS = {
    RANDOM: ("By lot", "A fair sample of all pairs. It gets at least a tenth, whatever the weights."),
    UNCERTAIN: ("What the model doubts", "Pairs whose difference its heads disagree about most."),
    INFORMATION: ("What would tell most", "Pairs whose answer is expected to teach the reward model most."),
    CONTRAST: ("Models against each other", "Different models, or one model at different temperatures."),
}


class ChoosingForm(forms.Form):
    """`mix()` reads the weights, which need not add up to anything. Without data, its own defaults are its data."""

    tag = forms.ChoiceField(label="Prompts", required=False)
    count = forms.IntegerField(label="Tasks", initial=50, min_value=1, max_value=MOST_TASKS)
    overlap = forms.IntegerField(label="People per task", min_value=1, max_value=MOST_PEOPLE)
    priority = forms.IntegerField(initial=0, min_value=-1000, max_value=1000)
    seed = forms.IntegerField(
        label="Seed of the lot", initial=0, min_value=0, max_value=2**31 - 1, help_text="Another number draws anew."
    )
    model = forms.ModelChoiceField(ModelVersion.objects.none(), label="Reward model", required=False)
    token = forms.UUIDField(widget=forms.HiddenInput)  # a form sent twice queues its tasks once

    def __init__(self, project: Project, data: QueryDict | None) -> None:
        rewards = ModelVersion.objects.of_project(project).filter(kind=ModelVersion.Kind.REWARD).order_by("-pk")
        super().__init__(data or defaults(project, rewards.first()), label_suffix="")
        self.fields["model"] = forms.ModelChoiceField(
            rewards,
            label="Reward model",
            required=False,
            empty_label="None",
            help_text="Its scores say what it doubts and what would tell it most.",
        )
        tags = [(tag, f"Tagged {tag}") for tag in tags_of(project)]
        self.fields["tag"] = forms.ChoiceField(label="Prompts", required=False, choices=[("", "All prompts"), *tags])
        for name, (label, help_text) in WORDS.items():
            widget = forms.NumberInput(attrs={"step": "any"})
            self.fields[name] = forms.FloatField(
                label=label, help_text=help_text, min_value=0, max_value=1000, widget=widget
            )

    def weights(self) -> list[forms.BoundField]:
        return [self[name] for name in STRATEGIES]

    def mix(self) -> dict[str, float]:
        """Of a valid form."""
        return {name: self.cleaned_data[name] for name in STRATEGIES}


def defaults(project: Project, model: ModelVersion | None) -> dict[str, Any]:
    fixed = {"count": 50, "overlap": project.overlap, "priority": 0, "seed": 0, "token": uuid.uuid4()}
    return {**fixed, **DEFAULT_MIX, "tag": "", "model": model.pk if model else ""}
