"""The form of a new snapshot: which judgements, and how they are split."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Exists, Func, OuterRef

from annotate.exports.formats import FORMATS
from annotate.exports.forms import FORMS
from annotate.models import Author, Judgement, Kind, Project, Prompt, Snapshot, SnapshotItem, User
from annotate.services.consensus import MAJORITY, POSTERIOR
from annotate.services.snapshot_filters import SnapshotFilter, parse_filters
from annotate.services.snapshots import LARGEST_SEED

CONSENSUS = (
    ("", "Each judgement"),
    (MAJORITY, "What most say, once"),
    (POSTERIOR, "What is most probable, once, weighted by how probable it is"),
)
MOST_CHOICES = 100  # tags or sources offered; scripts may filter by any


def day_field(label: str) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


def several(label: str, choices: list[tuple[Any, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, widget=forms.CheckboxSelectMultiple, choices=choices, help_text="None chosen: all."
    )


class FileForm(forms.Form):
    """Which file of a snapshot."""

    form = forms.ChoiceField(choices=[(form.name, form.label) for form in FORMS.values()], initial="lossless")
    split = forms.ChoiceField(label="Part", required=False, choices=[("", "All"), *SnapshotItem.Split.choices])
    format = forms.ChoiceField(
        choices=[(each.name, each.label) for each in FORMATS.values()], help_text="CSV holds tables alone."
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")


def percent_field(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=0, max_value=100, help_text=f"{help_text} Empty: any."
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

    include_gold = forms.BooleanField(
        label="Answers to gold", required=False, help_text="Tasks whose answer was known, given to measure people."
    )
    consensus = forms.ChoiceField(
        label="Where several judged the same",
        required=False,
        choices=CONSENSUS,
        help_text="One comparison can stand for all of its task. A task without a clear answer is then left out. Other "
        "kinds of judgement are kept as they are.",
    )
    min_answers = forms.IntegerField(
        label="Answers a task needs", required=False, min_value=0, max_value=1000, help_text="Empty: any number."
    )
    min_agreement = percent_field("Agreement a comparison needs, in percent", "The share of its task’s answers.")
    min_gold = percent_field("Gold a person needs right, in percent", "People who have met no gold are kept.")

    SPLIT = ("name", "held_out", "split_seed")
    QUALITY = ("min_answers", "min_agreement", "min_gold")
    PERIOD = ("since", "until")
    INCLUDED = ("include_ties", "include_imported", "include_surplus", "include_gold", "include_evaluations")
    LISTS = ("kinds", "tags", "sources", "authors", "annotators", "without_flags")

    def __init__(self, data: Any, *, project: Project, suggested_name: str) -> None:
        super().__init__(data, label_suffix="", initial={"name": suggested_name})
        people = [(person.pk, str(person)) for person in annotators_of(project)]
        self.fields["kinds"] = several("Kinds", kinds_of(project))
        self.fields["tags"] = several("Prompt tags", [(tag, tag) for tag in tags_of(project)])
        self.fields["sources"] = several("Prompt sources", [(source, source) for source in sources_of(project)])
        self.fields["annotators"] = several("People", people)
        authors = Author.objects.of_project(project).order_by("name", "pk")[:MOST_CHOICES]
        self.fields["authors"] = several("Authors of responses", [(author.pk, author.name) for author in authors])
        self.fields["without_flags"] = several("Flags to leave out", [(flag, flag) for flag in project.flag_options])
        self.fields["without_flags"].help_text = "None chosen: flagged or not."

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", "This day is before the first one. Swap them, or leave one empty.")
        return data

    def period(self) -> list[forms.BoundField]:
        return [self[name] for name in self.PERIOD]

    def included(self) -> list[forms.BoundField]:
        return [self[name] for name in self.INCLUDED]

    def quality(self) -> list[forms.BoundField]:
        return [self[name] for name in self.QUALITY]

    def chosen(self) -> list[forms.BoundField]:
        """The fields that have anything to choose from."""
        fields = [self[name] for name in self.LISTS]
        return [field for field in fields if field.subwidgets]

    def filters(self) -> SnapshotFilter:
        """What a valid form says; everything, when it was not filled in."""
        if not self.is_bound:
            return SnapshotFilter()
        data = self.cleaned_data
        ids = {name: [int(pk) for pk in data[name]] for name in ("annotators", "authors")}
        shares = {name: (data[name] or 0) / 100 for name in ("min_agreement", "min_gold")}
        asked = {"min_answers": data["min_answers"] or 0, "consensus": data["consensus"]}
        plain = {name: data[name] for name in (*self.PERIOD, *self.INCLUDED, *self.LISTS)}
        return parse_filters({**plain, **ids, **shares, **asked})


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
