"""The form of a recipe: its name, when rounds begin, the plan, and the algorithms' own settings folded away."""

from __future__ import annotations

from typing import Any

from django import forms

from training.algorithms.configs import ALGORITHMS
from training.forms import ConfigForm, make_field
from training.models import Recipe
from training.recipes import GROUPS, PlanError, plain_fields

Trigger = Recipe.Trigger


class RecipeForm(forms.Form):
    """Everything but the algorithm, which the address names, and the algorithms' settings, which have forms of their
    own."""

    name = forms.CharField(max_length=80)
    trigger = forms.ChoiceField(
        label="A round begins",
        choices=Trigger.choices,
        help_text="One at a time. A time that comes while one is under way, or when nothing new was judged, passes.",
    )
    every_hours = forms.IntegerField(label="Every so many hours", min_value=1, max_value=10_000)
    times = forms.CharField(
        label="At these times",
        max_length=100,
        help_text="Minute, hour, day, month, weekday: 0 3 * * 1-5 is 3 in the morning, Monday to Friday.",
    )
    enough_judgements = forms.IntegerField(label="New judgements", min_value=1, max_value=10_000_000)

    def __init__(self, recipe: Recipe, algorithm: str, data: Any = None) -> None:
        about = {name: getattr(recipe, name) for name in self.base_fields}
        super().__init__(data, initial={**recipe.plan, **about})
        self.groups = {item.name: item.metadata["group"] for item in plain_fields() if item.name != "algorithm"}
        for item in plain_fields():
            if item.name != "algorithm":
                self.fields[item.name] = make_field(item)
        self.algorithm = algorithm
        plan = recipe.plan
        own = plan.get("policy_settings") if plan.get("algorithm", algorithm) == algorithm else {}
        self.policy = ConfigForm(algorithm, data, prefix="policy", initial=own)
        self.reward = ConfigForm("reward_model", data, prefix="reward", initial=plan.get("reward_settings"))
        self.sft = ConfigForm("sft", data, prefix="sft", initial=plan.get("sft_settings"))

    def all_forms(self) -> list[forms.Form]:
        return [self, self.policy, self.reward, self.sft]

    def parts(self) -> list[tuple[str, ConfigForm]]:
        """(title, form) of the algorithms' own settings, for the folded part of the page."""
        return [
            (f"{ALGORITHMS[self.algorithm].label}: the policy", self.policy),
            ("Reward models, both", self.reward),
            ("Supervised fine-tuning, where it comes first", self.sft),
        ]

    def is_valid(self) -> bool:
        """All four are judged, so that every mistake shows at once."""
        return all([super().is_valid(), *(form.is_valid() for _, form in self.parts())])

    def trigger_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("trigger", "enough_judgements", "every_hours", "times")]

    def plan_groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """(title, fields) of each part of the plan, in order."""
        return [
            (title, [self[name] for name, group in self.groups.items() if group == key])
            for key, title in GROUPS.items()
        ]

    def plan(self) -> dict[str, Any]:
        """What was filled in, for `parse_plan`; settings that are the defaults are left out."""
        values = {name: self.cleaned_data[name] for name in self.groups}
        nested = {"policy_settings": self.policy, "reward_settings": self.reward, "sft_settings": self.sft}
        return {"algorithm": self.algorithm, **values, **{name: form.changed() for name, form in nested.items()}}

    def about(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.base_fields}

    def show(self, error: PlanError) -> None:
        for name, message in error.errors.items():
            self.add_error(name if name in self.fields else None, message)
