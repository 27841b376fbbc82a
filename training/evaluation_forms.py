"""The forms of the leaderboard and of evaluations."""

from __future__ import annotations

from typing import Any

from django import forms

from annotate.leaderboards.bradley_terry import DAVIDSON, HALF, RAO_KUPPER
from annotate.models import Project
from annotate.services.compared import Choice, group_options
from annotate.services.leaderboards import common_tags
from training.models import Evaluation, ModelVersion
from training.services.registry import writers

Kind = ModelVersion.Kind


class LeaderboardForm(forms.Form):
    """What the leaderboard is about; everything may be left out."""

    def __init__(self, project: Project, data: Any) -> None:
        super().__init__(data)
        self.tags = common_tags(project)
        self.groups = {f"{option.item}:{option.answer}": option for option in group_options(project)}
        groups = [(key, f"{one.question} {one.answer} ({one.count})") for key, one in self.groups.items()]
        self.fields["tag"] = choice("Category", [("", "All prompts"), *((tag, tag) for tag in self.tags)])
        self.fields["group"] = choice("People", [("", "Everybody"), *groups])
        self.fields["ties"] = choice(
            "Ties", [("", "Rao–Kupper"), (DAVIDSON, "Davidson"), (HALF, "Half a win for each")]
        )
        self.fields["judge"] = forms.ModelChoiceField(
            ModelVersion.objects.of_project(project).filter(kind=Kind.REWARD).order_by("-is_default", "-id"),
            label="Reward model",
            required=False,
            empty_label=None,
        )

    def chosen_judge(self) -> ModelVersion | None:
        """The one asked for, else the default or newest one."""
        field = self.fields["judge"]
        assert isinstance(field, forms.ModelChoiceField) and field.queryset is not None
        chosen: ModelVersion | None = self.cleaned_data.get("judge") or field.queryset.first()
        return chosen

    def chosen_ties(self) -> str:
        return str(self.cleaned_data.get("ties") or RAO_KUPPER)

    def chosen(self) -> Choice:
        group = self.groups.get(self.cleaned_data.get("group") or "")
        tag = self.cleaned_data.get("tag") or ""
        return Choice(tag=tag, item=group.item, answer=group.answer) if group else Choice(tag=tag)


def choice(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, required=False)


class EvaluationForm(forms.Form):
    """Which two policies are set against each other, on how much, and who judges."""

    candidate = forms.ModelChoiceField(ModelVersion.objects.none(), label="Model", empty_label=None)
    baseline = forms.ModelChoiceField(ModelVersion.objects.none(), label="Against", empty_label=None)
    by = forms.ChoiceField(label="Judged by", choices=Evaluation.By.choices, initial=Evaluation.By.PEOPLE)
    judge = forms.ModelChoiceField(
        ModelVersion.objects.none(),
        label="Reward model",
        required=False,
        empty_label="The default one",
        help_text="Needed when a reward model judges.",
    )
    prompts = forms.IntegerField(
        label="Prompts at most",
        min_value=1,
        max_value=5000,
        initial=200,
        help_text="Held-out ones, as many as there are. Telling 60 % from 50 % takes about 470 answers.",
    )
    overlap = forms.IntegerField(label="People per comparison", min_value=1, max_value=50, initial=1)
    margin = forms.FloatField(
        label="As good within",
        min_value=0.01,
        max_value=0.5,
        initial=0.1,
        help_text="0.1: from 40 to 60 % counts as equally good, which also ends the evaluation.",
    )
    temperature = forms.FloatField(min_value=0, max_value=2, initial=0.8)
    top_p = forms.FloatField(label="Top-p", min_value=0.01, max_value=1, initial=0.95)
    max_tokens = forms.IntegerField(label="Longest response", min_value=1, max_value=2048, initial=256)
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=0)

    def __init__(self, project: Project, data: Any = None, *, candidate: ModelVersion | None = None) -> None:
        super().__init__(data)
        models = ModelVersion.objects.of_project(project)
        sides = writers(project)
        rewards = models.filter(kind=Kind.REWARD).order_by("-is_default", "-id")
        for name, rows in (("candidate", sides), ("baseline", sides), ("judge", rewards)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        newest = candidate or sides.filter(kind=Kind.POLICY).first()
        if newest is not None:
            self.fields["candidate"].initial = newest
            self.fields["baseline"].initial = newest.parent or sides.exclude(pk=newest.pk).first()
