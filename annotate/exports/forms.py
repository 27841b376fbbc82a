"""The forms a snapshot can be downloaded in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.exports.argilla import ARGILLA, to_argilla, told_argilla
from annotate.exports.columns import Columns
from annotate.exports.compared import COMPARISONS, compared_by, to_comparison
from annotate.exports.groups import GROUPS, to_group
from annotate.exports.kinds.kind_export import Group, Pair, Rated, Verdict
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.lossless import LOSSLESS, to_lossless
from annotate.exports.rows import Row
from annotate.exports.scored import BINARISED, HELPSTEER, ULTRAFEEDBACK, to_binarised, to_helpsteer, to_ultrafeedback
from annotate.exports.transcripts import (
    HH,
    OPENAI_DPO,
    OPENAI_SFT,
    PROMPTS,
    SFT,
    TRL,
    TRL_CONVERSATIONAL,
    UNPAIRED,
    to_hh,
    to_openai_dpo,
    to_openai_sft,
    to_prompt,
    to_sft,
    to_trl,
    to_trl_conversational,
    to_unpaired,
)


class UnknownForm(ValueError):
    """A form, a format or a split that does not exist; the message names those that do."""


@dataclass(frozen=True)
class Form:
    """`parts` finds what a judgement gives in this form, without a look at the texts; `line` writes one part, with
    the fields and types that `columns` names. A judgement without parts is left out, unless the form is `of_prompts`:
    then it speaks of prompts alone, and each has one line."""

    name: str
    label: str
    description: str
    parts: Callable[[Row], Sequence[Any]]
    line: Callable[[Row, Any], dict[str, Any]]
    columns: Columns
    of_prompts: bool = False

    @property
    def is_flat(self) -> bool:
        """Whether every field is a single value, as a table of cells needs."""
        return all(isinstance(kind, str) for kind in self.columns.values())


def pairs_of(row: Row) -> list[Pair]:
    return KIND_EXPORTS[row.facts.kind].pairs(row)


def groups_of(row: Row) -> list[Group]:
    group = KIND_EXPORTS[row.facts.kind].group(row)
    return [] if group is None else [group]


def taught_by(row: Row) -> list[int]:
    return KIND_EXPORTS[row.facts.kind].taught(row)


def verdicts_of(row: Row) -> list[Verdict]:
    return KIND_EXPORTS[row.facts.kind].verdicts(row)


def rated_by(row: Row) -> list[Rated]:
    return KIND_EXPORTS[row.facts.kind].rated(row)


def rated_together(row: Row) -> list[list[Rated]]:
    rated = rated_by(row)
    return [rated] if rated else []


def whole(row: Row) -> list[None]:
    return [None]


def new_prompt(row: Row) -> list[None]:
    return [None] if row.begins_prompt else []


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(
            "trl-conversational",
            "TRL, conversational",
            "prompt, chosen and rejected as lists of messages: for chat models, in TRL's RewardTrainer and DPOTrainer.",
            pairs_of,
            to_trl_conversational,
            TRL_CONVERSATIONAL,
        ),
        Form(
            "trl",
            "TRL, standard",
            "prompt, chosen and rejected as text; the prompt is a Human/Assistant transcript which both continue.",
            pairs_of,
            to_trl,
            TRL,
        ),
        Form("hh", "HH-RLHF", "chosen and rejected as whole Human/Assistant transcripts.", pairs_of, to_hh, HH),
        Form(
            "sft",
            "TRL, supervised",
            "prompt and completion as lists of messages, from demonstrations and edits: for TRL's SFTTrainer.",
            taught_by,
            to_sft,
            SFT,
        ),
        Form(
            "unpaired",
            "TRL, unpaired",
            "prompt, completion and whether it is good, one response a line: for TRL's KTOTrainer.",
            verdicts_of,
            to_unpaired,
            UNPAIRED,
        ),
        Form(
            "prompts",
            "TRL, prompts only",
            "each prompt once, as a list of messages: for TRL's GRPOTrainer and others that draw their own responses.",
            new_prompt,
            to_prompt,
            PROMPTS,
            of_prompts=True,
        ),
        Form(
            "openai-dpo",
            "OpenAI, preferences",
            "input, preferred and non-preferred output: for OpenAI's direct preference optimization.",
            pairs_of,
            to_openai_dpo,
            OPENAI_DPO,
        ),
        Form(
            "openai-sft",
            "OpenAI, supervised",
            "whole conversations, from demonstrations and edits: for OpenAI's supervised fine-tuning.",
            taught_by,
            to_openai_sft,
            OPENAI_SFT,
        ),
        Form(
            "helpsteer",
            "HelpSteer",
            "one rated response a line with five attributes from 0 to 4: for attribute and reward models.",
            rated_by,
            to_helpsteer,
            HELPSTEER,
        ),
        Form(
            "ultrafeedback",
            "UltraFeedback",
            "a prompt with all its rated completions, their models, annotations and overall scores.",
            rated_together,
            to_ultrafeedback,
            ULTRAFEEDBACK,
        ),
        Form(
            "ultrafeedback-binarized",
            "UltraFeedback, binarized",
            "pairs as whole conversations, with the score of each side where it was rated.",
            pairs_of,
            to_binarised,
            BINARISED,
        ),
        Form(
            "argilla",
            "Argilla",
            "records with the responses of people, for dataset.records.from_json of Argilla 2.",
            told_argilla,
            to_argilla,
            ARGILLA,
        ),
        Form(
            "comparisons",
            "Table of comparisons",
            "one comparison a line, every cell a single value, ties and “both bad” included: for spreadsheets.",
            compared_by,
            to_comparison,
            COMPARISONS,
        ),
        Form(
            "groups",
            "Plumbline groups",
            "what Plumbline's trainer reads: all completions, the label with its strength, ties and weights.",
            groups_of,
            to_group,
            GROUPS,
        ),
        Form(
            "lossless",
            "Everything",
            "every field of every judgement, with sides, flags, rationale, times and authors; people as pseudonyms. "
            "Plumbline imports it again.",
            whole,
            to_lossless,
            LOSSLESS,
        ),
    )
}
