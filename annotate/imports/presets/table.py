"""The formats an import knows. The first that recognises a row is the one proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotate.imports.presets.arena import read_answers, read_arena, read_arena_lists, read_verdict
from annotate.imports.presets.argilla import read_argilla
from annotate.imports.presets.helpsteer import read_helpsteer, read_helpsteer_preference
from annotate.imports.presets.instructions import read_alpaca, read_self_instruct, read_sharegpt
from annotate.imports.presets.label_studio import read_label_studio
from annotate.imports.presets.lossless import read_lossless
from annotate.imports.presets.mapped import read_mapped
from annotate.imports.presets.oasst import read_tree
from annotate.imports.presets.pandalm import read_pandalm
from annotate.imports.presets.preset import Preset, has
from annotate.imports.presets.prompts import read_pairs, read_prompts
from annotate.imports.presets.squality import read_squality
from annotate.imports.presets.ultrafeedback import read_ultrafeedback
from annotate.imports.presets.unpaired import read_unpaired


def has_transcripts(row: Mapping[str, Any]) -> bool:
    sides = (row.get("chosen"), row.get("rejected"))
    return all(isinstance(side, str) and side.startswith("\n\nHuman:") for side in sides)


PRESETS: dict[str, Preset] = {
    "lossless": Preset(
        fields="id, purpose, prompt, responses, answer",
        recognise=has("id", "purpose", "prompt", "responses", "answer", "split"),
        read=read_lossless,
    ),
    "hh": Preset(fields="chosen and rejected transcripts", recognise=has_transcripts, read=read_pairs),
    "ultrafeedback-binarized": Preset(
        fields="chosen, rejected, score_chosen, score_rejected",
        recognise=has("chosen", "rejected", "score_chosen", "score_rejected"),
        read=read_pairs,
    ),
    "pairs": Preset(fields="chosen, rejected", recognise=has("chosen", "rejected"), read=read_pairs),
    "trl-unpaired": Preset(
        fields="prompt, completion, label", recognise=has("prompt", "completion", "label"), read=read_unpaired
    ),
    "ultrafeedback": Preset(
        fields="instruction, completions", recognise=has("instruction", "completions"), read=read_ultrafeedback
    ),
    "helpsteer2": Preset(
        fields="prompt, response, helpfulness, correctness",
        recognise=has("prompt", "response", "helpfulness", "correctness"),
        read=read_helpsteer,
    ),
    "helpsteer2-preference": Preset(
        fields="response_1, response_2, preference_strength",
        recognise=has("prompt", "response_1", "response_2", "preference_strength"),
        read=read_helpsteer_preference,
    ),
    "oasst-trees": Preset(fields="message_tree_id, prompt", recognise=has("message_tree_id", "prompt"), read=read_tree),
    "arena": Preset(
        fields="conversation_a, conversation_b, winner",
        recognise=has("conversation_a", "conversation_b", "winner"),
        read=read_arena,
    ),
    "arena-lists": Preset(
        fields="response_a, response_b, winner_model_a",
        recognise=has("prompt", "response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie"),
        read=read_arena_lists,
    ),
    "mt-bench-answers": Preset(
        fields="question_id, model, messages", recognise=has("question_id", "model", "messages"), read=read_answers
    ),
    "mt-bench-verdicts": Preset(
        fields="question_id, turn, model_a, model_b, winner",
        recognise=has("question_id", "turn", "model_a", "model_b", "winner"),
        read=read_verdict,
    ),
    "pandalm": Preset(
        fields="response1, response2, annotator1",
        recognise=has("instruction", "response1", "response2", "annotator1"),
        read=read_pandalm,
    ),
    "squality": Preset(fields="passage-id, questions", recognise=has("passage-id", "questions"), read=read_squality),
    "argilla": Preset(fields="fields, responses", recognise=has("fields", "responses"), read=read_argilla),
    "label-studio": Preset(fields="data, annotations", recognise=has("data", "annotations"), read=read_label_studio),
    "self-instruct": Preset(
        fields="instruction, instances", recognise=has("instruction", "instances"), read=read_self_instruct
    ),
    "alpaca": Preset(fields="instruction, output", recognise=has("instruction", "output"), read=read_alpaca),
    "sharegpt": Preset(fields="conversations", recognise=has("conversations"), read=read_sharegpt),
    "mapped": Preset(fields="the columns you choose", recognise=lambda row: False, read=read_mapped),
    "prompts": Preset(fields="a prompt", recognise=lambda row: True, read=read_prompts),
}


def find_preset(row: Any) -> str:
    """The key of the format that a row is of; prompts when it is none of the others."""
    if not isinstance(row, dict):
        return "prompts"
    return next(key for key, preset in PRESETS.items() if preset.recognise(row))
