"""Forms of training. The algorithms' settings are described and checked in training.algorithms.configs alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from django import forms

from annotate.models import JobStatus, Project, Snapshot
from training.algorithms.configs import ALGORITHMS, ConfigError, parse_config, to_dict
from training.algorithms.settings import BASIC, GROUPS
from training.models import ModelVersion, Run
from training.services.generations import Choice
from training.services.registry import base_kinds, default_model, writers
from training.services.runs import next_name

NEW_SNAPSHOT = "new"
Kind = ModelVersion.Kind


class LaunchForm(forms.Form):
    """What a run is made of, beside its settings."""

    name = forms.CharField(max_length=120)

    def __init__(
        self,
        project: Project,
        algorithm: str,
        data: Any = None,
        *,
        like: Run | None = None,
        snapshot: str = NEW_SNAPSHOT,
    ) -> None:
        super().__init__(data)
        self.project = project
        models = ModelVersion.objects.of_project(project).filter(kind__in=base_kinds(algorithm))
        preferred = like.base_model if like else default_model(project, base_kinds(algorithm)[0])
        self.fields["name"].initial = next_name(project, algorithm)
        self.fields["base_model"] = forms.ModelChoiceField(
            models.order_by("kind", "-id"), label="Start from", empty_label=None, initial=preferred
        )
        self.fields["snapshot"] = forms.ChoiceField(
            label="Judgements",
            help_text="A snapshot freezes them, so that the run can be repeated.",
            initial=snapshot,
            choices=[
                (NEW_SNAPSHOT, "New snapshot of all judgements so far"),
                *((str(snapshot.pk), describe_snapshot(snapshot)) for snapshot in usable_snapshots(project)),
            ],
        )

        if ALGORITHMS[algorithm].scores:
            self.fields["reward_models"] = reward_field(project, like)
            self.fields["heldout_reward"] = heldout_field(project, like)

    def chosen_rewards(self) -> dict[ModelVersion, float]:
        """The reward models and their weights, all the same; `manage.py train` takes others."""
        return dict.fromkeys(self.cleaned_data.get("reward_models") or [], 1.0)

    def chosen_watcher(self) -> ModelVersion | None:
        """The reward model that watches the others."""
        watcher: ModelVersion | None = self.cleaned_data.get("heldout_reward")
        return watcher

    def chosen_snapshot(self) -> Snapshot | None:
        """The snapshot named, or None for a new one."""
        value = self.cleaned_data["snapshot"]
        return None if value == NEW_SNAPSHOT else usable_snapshots(self.project).get(pk=value)


def reward_field(project: Project, like: Run | None) -> forms.ModelMultipleChoiceField:
    """The project's reward models, newest first; the default one, or else the newest, is chosen."""
    models = ModelVersion.objects.of_project(project).filter(kind=Kind.REWARD).order_by("-is_default", "-id")
    before = [reward.model_id for reward in like.rewards.all() if not reward.is_held_out] if like else None
    return forms.ModelMultipleChoiceField(
        models,
        required=False,
        label="Reward models",
        widget=forms.CheckboxSelectMultiple,
        initial=models[:1] if before is None else before,
        help_text="They score the responses; several count the same."
        if models
        else "This project has none yet: train one, or choose a programmatic reward below.",
    )


def heldout_field(project: Project, like: Run | None) -> forms.ModelChoiceField:
    models = ModelVersion.objects.of_project(project).filter(kind=Kind.REWARD).order_by("-id")
    before = like.rewards.filter(is_held_out=True).first() if like else None
    return forms.ModelChoiceField(
        models,
        required=False,
        label="Held-out reward model",
        empty_label="None: nobody notices when the reward model is fooled",
        initial=before.model_id if before else None,
        help_text="Another reward model, trained on other prompts. It scores the responses too, and the run is stopped "
        "when it no longer agrees; nothing is learnt from it.",
    )


def usable_snapshots(project: Project) -> Any:
    ended_badly = [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.DRAFT]
    return Snapshot.objects.of_project(project).exclude(status__in=ended_badly).order_by("-id")


def describe_snapshot(snapshot: Snapshot) -> str:
    if snapshot.status != JobStatus.SUCCEEDED:
        return f"{snapshot} (being built)"
    return f"{snapshot} ({snapshot.train_count} to train on, {snapshot.test_count} held out)"


class ConfigForm(forms.Form):
    """An algorithm's settings, one field each, made from its config dataclass; `parse_config` is the only judge."""

    prefix = "config"

    def __init__(
        self,
        algorithm: str,
        data: Any = None,
        *,
        like: Run | None = None,
        prefix: str | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, prefix=prefix, initial=dict(like.config if like else initial or {}))
        self.algorithm = algorithm
        self.groups = {item.name: item.metadata["group"] for item in fields(ALGORITHMS[algorithm].config)}
        for item in fields(ALGORITHMS[algorithm].config):
            self.fields[item.name] = make_field(item)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            parse_config(self.algorithm, cleaned)
        except ConfigError as error:
            self.show(error)
        return cleaned

    def show(self, error: ConfigError) -> None:
        for name, message in error.errors.items():
            self.add_error(name if name in self.fields else None, message)

    def changed(self) -> dict[str, Any]:
        """The settings that are not the algorithm's defaults."""
        config = parse_config(self.algorithm, self.cleaned_data)
        defaults = to_dict(type(config)())
        return {name: value for name, value in to_dict(config).items() if value != defaults[name]}

    def basic_fields(self) -> list[forms.BoundField]:
        return [self[name] for name, group in self.groups.items() if group == BASIC]

    def advanced_groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """(title, fields) of every other group, in order."""
        return [
            (title, [self[name] for name, group in self.groups.items() if group == key])
            for key, title in GROUPS.items()
            if key != BASIC and key in self.groups.values()
        ]

    def has_advanced_errors(self) -> bool:
        return any(self.groups.get(name, BASIC) != BASIC for name in self.errors)


def make_field(item: Field) -> forms.Field:
    """The form field of a dataclass field. Limits are hints to the browser here; parse_config enforces them."""
    about = item.metadata
    settings = {"label": about["label"], "help_text": about["help"], "initial": item.default}
    if isinstance(item.default, bool):
        return forms.BooleanField(required=False, **settings)
    if about["choices"]:
        return forms.CharField(widget=forms.Select(choices=about["choices"]), **settings)
    if isinstance(item.default, str):
        return forms.CharField(required=bool(item.default), **settings)
    step = about["step"] or (1 if isinstance(item.default, int) else "any")
    limits = {name: value for name, value in (("min", about["min"]), ("max", about["max"])) if value is not None}
    return forms.CharField(widget=forms.NumberInput(attrs={**limits, "step": step}), **settings)


class GenerationForm(forms.Form):
    """What to ask a policy or an endpoint for."""

    model = forms.ModelChoiceField(ModelVersion.objects.none(), empty_label=None)
    choice = forms.ChoiceField(label="Prompts", choices=Choice.choices, initial=Choice.WITHOUT)
    tag = forms.CharField(max_length=60, required=False, help_text="Needed when prompts are chosen by tag.")
    first = forms.IntegerField(
        label="At most", min_value=1, required=False, help_text="The oldest so many of them; empty means all."
    )
    responses_per_prompt = forms.IntegerField(
        label="Responses to each", min_value=1, max_value=16, initial=2, help_text="1 to 16. Compared two by two."
    )
    best_of = forms.IntegerField(
        label="Best of",
        min_value=1,
        max_value=64,
        initial=1,
        required=False,
        help_text="Draws for each response, of which the reward model keeps one; 1 keeps every draw.",
    )
    reward_model = forms.ModelChoiceField(
        ModelVersion.objects.none(), required=False, empty_label="None", help_text="It chooses the best."
    )
    temperature = forms.FloatField(
        min_value=0, max_value=2, initial=0.8, help_text="0 always takes the likeliest word; higher varies more."
    )
    top_p = forms.FloatField(
        label="Top-p",
        min_value=0.01,
        max_value=1,
        initial=0.95,
        help_text="Draw among the likeliest words only; 1 is off.",
    )
    max_tokens = forms.IntegerField(
        label="Longest response", min_value=1, max_value=2048, initial=256, help_text="Tokens."
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, initial=0, help_text="The same seed asks for the same responses."
    )
    queue_tasks = forms.BooleanField(label="Queue comparisons of them", required=False, initial=True)
    opponent = forms.ModelChoiceField(
        ModelVersion.objects.none(),
        required=False,
        empty_label="Nobody: compare its responses with each other",
        help_text="Compare with responses this model has already written.",
    )
    overlap = forms.IntegerField(label="People per comparison", min_value=1, max_value=50)

    def __init__(self, project: Project, data: Any = None, *, model: ModelVersion | None = None) -> None:
        super().__init__(data)
        everything = ModelVersion.objects.of_project(project).filter(kind__in=ModelVersion.WRITERS).order_by("-id")
        for name, choices in (("model", writers(project)), ("opponent", everything)):
            choice = self.fields[name]
            assert isinstance(choice, forms.ModelChoiceField)
            choice.queryset = choices
        judges = self.fields["reward_model"]
        assert isinstance(judges, forms.ModelChoiceField)
        judges.queryset = (
            ModelVersion.objects.of_project(project).filter(kind=Kind.REWARD).order_by("-is_default", "-id")
        )
        self.fields["model"].initial = model or default_model(project, Kind.POLICY)
        self.fields["overlap"].initial = project.overlap

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("choice") == Choice.TAG and not cleaned.get("tag"):
            self.add_error("tag", "Name the tag, or choose all prompts.")
        if "best_of" in cleaned:
            cleaned["best_of"] = cleaned["best_of"] or 1
        return cleaned


class ModelForm(forms.Form):
    """A base model that somebody else made."""

    kind = forms.ChoiceField(
        choices=[(Kind.POLICY, "A policy: it writes responses"), (Kind.BACKBONE, Kind.BACKBONE.label)]
    )
    origin = forms.CharField(
        label="Where it is",
        max_length=300,
        help_text="A Hugging Face id (organisation/name), or the path of a folder in Hugging Face layout.",
    )
    name = forms.CharField(max_length=120, required=False, help_text="What to call it here; empty takes its own name.")
