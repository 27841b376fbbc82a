"""The forms a snapshot can be downloaded in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from annotate.exports.groups import to_group
from annotate.exports.lossless import to_lossless
from annotate.exports.rows import Row
from annotate.exports.transcripts import to_hh, to_trl, to_trl_conversational

TIE = Q(judgement__comparison__preference=0)
BOTH_BAD = Q(judgement__comparison__both_bad=True)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How the judgements of a snapshot divide."""

    preferences: int
    ties: int
    both_bad: int


@dataclass(frozen=True)
class Form:
    """`line` makes a row's object; ties and “both bad” are left out where the form has no word for them."""

    name: str
    label: str
    description: str
    line: Callable[[Row], dict[str, Any]]
    keeps_ties: bool
    keeps_both_bad: bool

    def left_out(self) -> Q:
        """Which SnapshotItems this form has no line for."""
        nothing = Q(pk__in=[])
        return (nothing if self.keeps_ties else TIE) | (nothing if self.keeps_both_bad else BOTH_BAD)

    def count_rows(self, counts: Counts) -> int:
        """How many lines the form has for these judgements."""
        ties = counts.ties if self.keeps_ties else 0
        return counts.preferences + ties + (counts.both_bad if self.keeps_both_bad else 0)

    def explain_left_out(self, counts: Counts) -> str:
        """Which judgements have no line because nothing was preferred; empty when all have one."""
        parts = []
        if counts.ties and not self.keeps_ties:
            parts.append(f"{counts.ties:,} tie{'s' if counts.ties != 1 else ''}")
        if counts.both_bad and not self.keeps_both_bad:
            parts.append(f"{counts.both_bad:,} “both bad”")
        return " and ".join(parts)


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(
            "trl-conversational",
            "TRL, conversational",
            "prompt, chosen and rejected as lists of messages: for chat models, in TRL's RewardTrainer and DPOTrainer.",
            to_trl_conversational,
            keeps_ties=False,
            keeps_both_bad=False,
        ),
        Form(
            "trl",
            "TRL, standard",
            "prompt, chosen and rejected as text; the prompt is a Human/Assistant transcript which both continue.",
            to_trl,
            keeps_ties=False,
            keeps_both_bad=False,
        ),
        Form(
            "hh",
            "HH-RLHF",
            "chosen and rejected as whole Human/Assistant transcripts.",
            to_hh,
            keeps_ties=False,
            keeps_both_bad=False,
        ),
        Form(
            "groups",
            "Plumbline groups",
            "what Plumbline's trainer reads: both completions, the label with its strength, ties and weights.",
            to_group,
            keeps_ties=True,
            keeps_both_bad=False,
        ),
        Form(
            "lossless",
            "Everything",
            "every field of every judgement, with sides, flags, rationale, times and authors; people as pseudonyms.",
            to_lossless,
            keeps_ties=True,
            keeps_both_bad=True,
        ),
    )
}
