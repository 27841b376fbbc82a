"""The form of a new snapshot: which judgements, and how they are split."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Exists, Func, OuterRef

from annotate.models import Judgement, Kind, Project, Prompt, Snapshot, User
from annotate.services.snapshot_filters import SnapshotFilter, parse_filters
from annotate.services.snapshots import LARGEST_SEED

MOST_CHOICES = 100  # tags or sources offered; scripts may filter by any


def day_field(label: str) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


def several(label: str, choices: list[tuple[Any, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, widget=forms.CheckboxSelectMultiple, choices=choices, help_text="None chosen: all."
    )


class SnapshotForm(forms.Form):
    name = forms.CharField(max_length=Snapshot._meta.get_field("name").max_length, required=False)
    held_out = forms.IntegerField(
        label="Held out for testing, in percent",
        min_value=0,
        max_value=90,
        initial=10,
        help_text="A prompt is wholly on one side: what is tested was never trained on.",
    )
    split_seed = forms.IntegerField(
        min_value=0,
        max_value=LARGEST_SEED,
        initial=0,
        help_text="The same seed puts the same prompt on the same side in every snapshot.",
    )
    since = day_field("Judged on or after")
    until = day_field("Judged on or before")
    include_ties = forms.BooleanField(label="Ties", required=False, initial=True)
    include_imported = forms.BooleanField(label="Judgements imported from files", required=False, initial=True)
    include_surplus = forms.BooleanField(
        label="Judgements that came in after their task had enough", required=False, initial=True
    )
    include_evaluations = forms.BooleanField(
        label="Judgements of evaluations",
        required=False,
        help_text="What people said of one model against another. Models trained on it cannot be evaluated on those "
        "prompts any more.",
    )

    SPLIT = ("name", "held_out", "split_seed")
    PERIOD = ("since", "until")
    INCLUDED = ("include_ties", "include_imported", "include_surplus", "include_evaluations")

    def __init__(self, data: Any, *, project: Project, suggested_name: str) -> None:
        super().__init__(data, label_suffix="", initial={"name": suggested_name})
        people = [(person.pk, str(person)) for person in annotators_of(project)]
        self.fields["kinds"] = several("Kinds", kinds_of(project))
        self.fields["tags"] = several("Prompt tags", [(tag, tag) for tag in tags_of(project)])
        self.fields["sources"] = several("Prompt sources", [(source, source) for source in sources_of(project)])
        self.fields["annotators"] = several("People", people)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", "This day is before the first one. Swap them, or leave one empty.")
        return data

    def period(self) -> list[forms.BoundField]:
        return [self[name] for name in self.PERIOD]

    def included(self) -> list[forms.BoundField]:
        return [self[name] for name in self.INCLUDED]

    def chosen(self) -> list[forms.BoundField]:
        """The fields that have anything to choose from."""
        fields = [self[name] for name in ("kinds", "tags", "sources", "annotators")]
        return [field for field in fields if field.subwidgets]

    def filters(self) -> SnapshotFilter:
        """What a valid form says; everything, when it was not filled in."""
        if not self.is_bound:
            return SnapshotFilter()
        data = self.cleaned_data
        people = [int(pk) for pk in data["annotators"]]
        plain = {name: data[name] for name in (*self.PERIOD, *self.INCLUDED, "kinds", "tags", "sources")}
        return parse_filters({**plain, "annotators": people})


def kinds_of(project: Project) -> list[tuple[str, str]]:
    """The kinds that have been judged here, when there are several to choose from."""
    judged = set(Judgement.objects.of_project(project).order_by().values_list("kind", flat=True).distinct())
    return [(kind.value, str(kind.label)) for kind in Kind if kind in judged] if len(judged) > 1 else []


def tags_of(project: Project) -> list[str]:
    """The project's tags in order, the first hundred of them."""
    tags = Prompt.objects.of_project(project).annotate(tag=Func("tags", function="unnest"))
    return list(tags.values_list("tag", flat=True).distinct().order_by("tag")[:MOST_CHOICES])


def sources_of(project: Project) -> list[str]:
    sources = Prompt.objects.of_project(project).exclude(source="").values_list("source", flat=True)
    return list(sources.distinct().order_by("source")[:MOST_CHOICES])


def annotators_of(project: Project) -> list[User]:
    """Everybody who has judged in the project, members or not any more."""
    judged = Judgement.objects.of_project(project).filter(annotator=OuterRef("pk"))
    return list(User.objects.filter(Exists(judged)).order_by("name", "pk"))
