"""The forms a snapshot can be downloaded in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.exports.groups import to_group
from annotate.exports.kinds.kind_export import Group, Pair, Verdict
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.lossless import to_lossless
from annotate.exports.rows import Row
from annotate.exports.transcripts import to_hh, to_sft, to_trl, to_trl_conversational, to_unpaired


@dataclass(frozen=True)
class Form:
    """`parts` finds what a judgement gives in this form, without a look at the texts; `line` writes one part. A
    judgement without parts is left out."""

    name: str
    label: str
    description: str
    parts: Callable[[Row], Sequence[Any]]
    line: Callable[[Row, Any], dict[str, Any]]


def pairs_of(row: Row) -> list[Pair]:
    return KIND_EXPORTS[row.facts.kind].pairs(row)


def groups_of(row: Row) -> list[Group]:
    group = KIND_EXPORTS[row.facts.kind].group(row)
    return [] if group is None else [group]


def taught_by(row: Row) -> list[int]:
    return KIND_EXPORTS[row.facts.kind].taught(row)


def verdicts_of(row: Row) -> list[Verdict]:
    return KIND_EXPORTS[row.facts.kind].verdicts(row)


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(
            "trl-conversational",
            "TRL, conversational",
            "prompt, chosen and rejected as lists of messages: for chat models, in TRL's RewardTrainer and DPOTrainer.",
            pairs_of,
            to_trl_conversational,
        ),
        Form(
            "trl",
            "TRL, standard",
            "prompt, chosen and rejected as text; the prompt is a Human/Assistant transcript which both continue.",
            pairs_of,
            to_trl,
        ),
        Form("hh", "HH-RLHF", "chosen and rejected as whole Human/Assistant transcripts.", pairs_of, to_hh),
        Form(
            "sft",
            "TRL, supervised",
            "prompt and completion as lists of messages, from demonstrations and edits: for TRL's SFTTrainer.",
            taught_by,
            to_sft,
        ),
        Form(
            "unpaired",
            "TRL, unpaired",
            "prompt, completion and whether it is good, one response a line: for TRL's KTOTrainer.",
            verdicts_of,
            to_unpaired,
        ),
        Form(
            "groups",
            "Plumbline groups",
            "what Plumbline's trainer reads: all completions, the label with its strength, ties and weights.",
            groups_of,
            to_group,
        ),
        Form(
            "lossless",
            "Everything",
            "every field of every judgement, with sides, flags, rationale, times and authors; people as pseudonyms.",
            lambda row: (None,),
            lambda row, part: to_lossless(row),
        ),
    )
}
