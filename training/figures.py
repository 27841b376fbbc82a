"""A run's results in words and numbers, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, NamedTuple

from training.algorithms.configs import ALGORITHMS
from training.recipes import GROUPS, NESTED, plain_fields


class Figure(NamedTuple):
    label: str
    value: str
    note: str = ""


def headline(metrics: Mapping[str, Any]) -> list[Figure]:
    """The last evaluation's figures that one looks at first; none before the first evaluation."""
    figures = []
    if metrics.get("reward") is not None:
        figures.append(Figure("Held-out reward", f"{metrics['reward']:.3f}".replace("-", "−")))
        figures.append(Figure("KL from the reference", f"{metrics['kl']:.1f}".replace("-", "−"), "nats a response"))
    if metrics.get("accuracy") is not None:
        figures.append(Figure("Held-out accuracy", percent(metrics["accuracy"]), interval(metrics)))
    if metrics.get("loss") is not None:
        figures.append(Figure("Held-out loss", f"{metrics['loss']:.3f}"))
    if metrics.get("margin") is not None:
        figures.append(Figure("Margin", f"{metrics['margin']:.3f}"))
    if metrics.get("perplexity") is not None:
        figures.append(Figure("Perplexity", f"{metrics['perplexity']:.1f}", "of a held-out token"))
    if metrics.get("ece") is not None:
        cooled = f"{percent(metrics['ece_calibrated'])} with temperature {metrics['temperature']:.2f}"
        figures.append(Figure("Calibration error", percent(metrics["ece"]), cooled))
    if metrics.get("longer_wins") is not None:
        figures.append(Figure("Longer wins", percent(metrics["longer_wins"]), "accuracy of length alone, same pairs"))
    if metrics.get("drift/chosen") is not None:
        drift = f"{metrics['drift/chosen']:+.1f} / {metrics['drift/rejected']:+.1f}".replace("-", "−")
        figures.append(Figure("Drift chosen / rejected", drift, "nats from the reference"))
    return figures


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def interval(metrics: Mapping[str, Any]) -> str:
    """“61–81 % on 80 pairs”: the 95 % interval."""
    if metrics.get("accuracy_low") is None or not metrics.get("pairs"):
        return ""
    low, high = 100 * metrics["accuracy_low"], 100 * metrics["accuracy_high"]
    return f"95 %: {low:.0f}–{high:.0f} % on {metrics['pairs']} pairs"


def settings_of(algorithm: str, config: Mapping[str, Any]) -> list[Figure]:
    """Every setting of a run with its label; settings that this version no longer knows keep their names."""
    known = {item.name: item.metadata["label"] for item in fields(ALGORITHMS[algorithm].config)}
    return [Figure(known.get(name, name), spell(value)) for name, value in config.items()]


def describe_plan(plan: Mapping[str, Any]) -> list[tuple[str, list[Figure]]]:
    """(title, settings) of a round's plan as it was at the start; of the algorithms only what was changed."""
    known = [item for item in plain_fields() if item.name in plan]
    groups = [
        (
            title,
            [Figure(item.metadata["label"], spell_plan(item, plan[item.name])) for item in known if of(item) == key],
        )
        for key, title in GROUPS.items()
    ]
    nested = [
        (f"{ALGORITHMS[name].label}: what differs from the usual", settings_of(name, plan.get(key) or {}))
        for key, name in {**NESTED, "policy_settings": plan["algorithm"]}.items()
    ]
    return [(title, figures) for title, figures in [*groups, *nested] if figures]


def of(item: Field[Any]) -> str:
    group: str = item.metadata["group"]
    return group


def spell_plan(item: Field[Any], value: Any) -> str:
    """A choice by its label."""
    return dict(item.metadata.get("choices") or ()).get(value) or spell(value)


def spell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def facts_of(facts: Mapping[str, Any]) -> list[Figure]:
    """Where and with what a run was done."""
    versions = facts.get("versions") or {}
    data = facts.get("data") or {}
    rows = [
        ("Device", facts.get("device")),
        ("Precision", {"no": "fp32"}.get(facts.get("precision", ""), facts.get("precision"))),
        ("Threads", facts.get("threads")),
        ("Parameters", thousands(facts.get("parameters"))),
        ("Trained", thousands(facts.get("trainable"))),
        ("Prompts cut", facts.get("prompts_truncated")),
        ("Responses cut", facts.get("completions_truncated")),
        ("Ties left out", facts.get("dropped")),
        ("Commit", (facts.get("commit") or "")[:12]),
        *((f"{name} data".capitalize(), describe_file(about)) for name, about in sorted(data.items())),
        ("Versions", ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))),
    ]
    return [Figure(label, str(value)) for label, value in rows if value not in (None, "")]


def describe_file(about: Mapping[str, Any]) -> str:
    return f"{about['rows']} lines, {about['sha256'][:12]}"


def thousands(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
