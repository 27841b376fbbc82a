"""A model's card: what it is, who taught it, with what settings, how well, and where it ends. One source for the page
and for the README.md beside the weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse

from annotate.models import SnapshotItem
from annotate.services.snapshot_facts import describe_snapshot
from training.addresses import evaluation_url, model_url, round_url, run_url, snapshot_url
from training.algorithms.configs import ALGORITHMS
from training.figures import facts_of, headline, settings_of
from training.limits import limits_of
from training.models import Evaluation, ModelVersion, RoundStep, Run
from training.services.registry import HUB_ID
from training.services.run_directory import write_whole

README = "README.md"
TASKS = {
    "policy": "text-generation",
    "endpoint": "text-generation",
    "reward": "text-classification",
    "backbone": "feature-extraction",
}


@dataclass(frozen=True)
class Fact:
    """A line of a card. `url` leads to the rows behind the value."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    facts: list[Fact] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Card:
    name: str
    summary: str
    front: dict[str, Any]  # the header of a Hugging Face model card
    sections: list[Section]


def describe_model(model: ModelVersion) -> Card:
    """The card of a model; some ten statements, the counts over its snapshot among them."""
    run = model.run
    sections = [describe_origin(model)]
    if run is not None:
        sections += [describe_data(run), describe_people(run), describe_figures(model, run)]
        sections += [
            Section("Settings", [Fact(item.label, item.value) for item in settings_of(run.algorithm, run.config)])
        ]
    sections += [describe_evaluations(model), Section("Limits", sentences=list_limits(model))]
    if run is not None:
        made = [Fact(fact.label, fact.value) for fact in facts_of(run.facts)]
        sections.append(Section("How it was made", made))
    sections.append(Section("Files", [Fact(name, digest) for name, digest in model.file_hashes.items()]))
    shown = [section for section in sections if section.facts or section.sentences]
    return Card(model.name, summarise(model), describe_front(model), shown)


def summarise(model: ModelVersion) -> str:
    if model.kind == ModelVersion.Kind.ENDPOINT:
        return f"A model that lives elsewhere ({model.origin}) and writes responses in the project “{model.project}”."
    kind = {"policy": "writes responses", "reward": "scores responses", "backbone": "encodes text"}[model.kind]
    if model.run is None:
        return f"A base model of the project “{model.project}” that {kind}, taken from {model.origin} as it is."
    label = ALGORITHMS[model.run.algorithm].label
    return (
        f"A {model.get_kind_display().lower()} of the project “{model.project}” that {kind}. {label} made it from "
        f"“{model.parent}” with what people judged."
    )


def describe_front(model: ModelVersion) -> dict[str, Any]:
    """`base_model` only where it is an id that others can find."""
    tags = ["plumbline", *([model.run.algorithm.replace("_", "-")] if model.run else [])]
    front: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": TASKS[model.kind], "tags": tags}
    root = root_of(model)
    if root is not model and HUB_ID.fullmatch(root.origin):
        front["base_model"] = root.origin
    accuracy = model.metrics.get("accuracy")
    if accuracy is not None and model.run is not None:
        result = {
            "task": {"type": TASKS[model.kind]},
            "dataset": {"name": f"{model.run.snapshot} (held out)", "type": "preferences"},
            "metrics": [{"type": "accuracy", "value": round(accuracy, 4)}],
        }
        front["model-index"] = [{"name": model.name, "results": [result]}]
    return front


def root_of(model: ModelVersion) -> ModelVersion:
    """The base model at the start of its line."""
    seen = {model.pk}
    while model.parent is not None and model.parent_id not in seen:
        model = model.parent
        seen.add(model.pk)
    return model


def describe_origin(model: ModelVersion) -> Section:
    facts = [Fact("Kind", model.get_kind_display())]
    if model.origin:
        facts.append(Fact("Origin", model.origin))
    if model.parent is not None:
        facts.append(Fact("Made from", str(model.parent), model_url(model.parent)))
    if model.run is not None:
        facts.append(Fact("Run", str(model.run), run_url(model.run)))
        facts.append(Fact("Algorithm", ALGORITHMS[model.run.algorithm].label))
        for reward in model.run.rewards.select_related("model").order_by("pk"):
            name = "Watched by" if reward.is_held_out else "Scored by"
            said = str(reward.model) if reward.is_held_out else f"{reward.model} × {reward.weight:g}"
            facts.append(Fact(name, said, model_url(reward.model)))
        step = RoundStep.objects.filter(run=model.run).select_related("round").first()
        if step is not None:
            words = f"{step.round}, its step “{step.get_kind_display()}”"
            facts.append(Fact("Round", words, round_url(step.round)))
    facts.append(Fact("Registered", model.created_at.strftime("%d %B %Y")))
    return Section("What it is", facts)


def describe_data(run: Run) -> Section:
    snapshot = run.snapshot
    url = snapshot_url(snapshot)
    found = describe_snapshot(snapshot)
    facts = [
        Fact("Snapshot", snapshot.name, url),
        Fact("SHA-256", snapshot.content_hash),
        Fact("Judgements", f"{snapshot.train_count:,} to train on, {snapshot.test_count:,} held out", url),
        Fact("Prompts", f"{found.prompts:,}, none of them on both sides", url),
        *(Fact(bar.label, f"{bar.train:,} to train on, {bar.test:,} held out") for bar in found.kinds),
    ]
    if found.bars:
        strengths = ", ".join(f"{bar.label.lower()} {bar.total:,}" for bar in found.bars)
        facts.append(Fact("How strongly", strengths, url))
    return Section("Data", facts)


def describe_people(run: Run) -> Section:
    """Who judged, in numbers: names stay in the project."""
    items = SnapshotItem.objects.filter(snapshot=run.snapshot)
    counts = sorted(counts_by_person(items), reverse=True)
    if not counts:
        return Section("People")
    facts = [
        Fact("People", f"{len(counts):,}"),
        Fact("Judgements of one person", f"{counts[len(counts) // 2]:,} in the middle, {counts[0]:,} at most"),
    ]
    for version, count in guideline_counts(items):
        if version is None:
            facts.append(Fact("Without guidelines", f"{count:,} judgements, brought by files"))
        else:
            url = reverse("guideline-version", args=[run.project_id, version])
            facts.append(Fact(f"Guidelines, version {version}", f"{count:,} judgements", url))
    return Section("People", facts)


def counts_by_person(items: QuerySet[SnapshotItem]) -> list[int]:
    people = items.order_by().values("judgement__annotator", "judgement__external_annotator")
    return list(people.annotate(count=Count("pk")).values_list("count", flat=True))


def guideline_counts(items: QuerySet[SnapshotItem]) -> list[tuple[int | None, int]]:
    versions = items.order_by("judgement__guideline__version").values("judgement__guideline__version")
    return list(versions.annotate(count=Count("pk")).values_list("judgement__guideline__version", "count"))


def describe_figures(model: ModelVersion, run: Run) -> Section:
    facts = [
        Fact(figure.label, f"{figure.value} ({figure.note})" if figure.note else figure.value, run_url(run))
        for figure in headline(model.metrics)
    ]
    return Section("Figures on held-out prompts", facts)


def describe_evaluations(model: ModelVersion) -> Section:
    """How it did against other policies, newest first."""
    done = Evaluation.objects.filter(candidate=model).select_related("baseline", "judge").order_by("-pk")
    facts = []
    for evaluation in done[:10]:
        if evaluation.win_rate is None:
            continue
        by = f"“{evaluation.judge}”" if evaluation.judge else "people"
        value = f"{100 * evaluation.win_rate:.0f} % of {evaluation.count:,} pairs"
        if evaluation.low is not None and evaluation.high is not None:
            value += f" (95 %: {100 * evaluation.low:.0f}–{100 * evaluation.high:.0f} %)"
        facts.append(
            Fact(f"Won against “{evaluation.baseline}”", f"{value}, judged by {by}", evaluation_url(evaluation))
        )
    return Section("Against other policies", facts)


def list_limits(model: ModelVersion) -> list[str]:
    run = model.run
    people = len(counts_by_person(SnapshotItem.objects.filter(snapshot=run.snapshot))) if run else 0
    judgements = run.snapshot.train_count if run else 0
    return limits_of(model.kind, model.metrics, run.facts if run else {}, people=people, judgements=judgements)


def card_markdown(card: Card) -> str:
    """The card as a Hugging Face README.md. Each value of its header is JSON, which is YAML too."""
    front = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in card.front.items())
    parts = [f"---\n{front}---\n", f"# {escape(card.name)}\n", f"{escape(card.summary)}\n"]
    for section in card.sections:
        parts.append(f"## {section.title}\n")
        parts += [f"- {escape(sentence)}" for sentence in section.sentences]
        parts += [f"- **{escape(fact.label)}:** {escape(fact.value)}" for fact in section.facts if fact.value]
        parts.append("")
    return "\n".join(parts)


def escape(text: str) -> str:
    """On one line, with nothing that Markdown or HTML would read as its own."""
    line = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>#|" else letter for letter in line)


def write_card(model: ModelVersion) -> None:
    """The card as README.md beside the model's weights, where it has a folder of its own."""
    folder = model.path()
    if folder is not None and folder.is_dir() and model.run is not None:
        write_whole(folder / README, [card_markdown(describe_model(model))])
