"""PandaLM's test set: an instruction, two responses, and three people who each say which is better.

Fields: idx, motivation_app, cmp_key (the two models, “first_second”), instruction, input, response1, response2,
annotator1, annotator2, annotator3 (0 a tie, 1 the first, 2 the second). A few responses are true or false where the
text was “True” or “False”. Source: WeOpenML/PandaLM (Wang et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from annotate.imports.conversations import user_turn
from annotate.imports.presets.reading import object_in, prompt_of, response_in, text_in, whole_in
from annotate.imports.rows import JudgedRow, Options, ReadJudgement, RowRefused, SaidComparison

VERDICTS = {0: 0, 1: -1, 2: 1}
SIDES = ("response1", "response2")
ANNOTATORS = ("annotator1", "annotator2", "annotator3")


def read_pandalm(value: Any, options: Options) -> Sequence[JudgedRow]:
    """A model's name may hold an underscore, so a key with more than one is taken as no names at all."""
    row = object_in(value)
    models = text_in(row, "cmp_key").split("_")
    names = models if len(models) == 2 else ["", ""]
    question = "\n\n".join(filter(None, (text_in(row, "instruction"), text_in(row, "input"))))
    judgements = tuple(
        ReadJudgement(said=SaidComparison(_verdict(row, name)), about=(0, 1), annotator=name)
        for name in ANNOTATORS
        if row.get(name) is not None
    )
    texts = {side: str(row[side]) if isinstance(row.get(side), bool) else row.get(side) for side in SIDES}
    sides = tuple(response_in(texts, side, name) for side, name in zip(SIDES, names, strict=True))
    # Several pairs are about one instruction, each under a number of its own; the prompt is known by its content.
    return [JudgedRow(prompt_of(row, user_turn(question), "PandaLM", external_id=""), sides, judgements)]


def _verdict(row: dict[str, Any], name: str) -> int:
    said = whole_in(row, name)
    if said not in VERDICTS:
        raise RowRefused(f"“{name}” is {said}; it must be 0 for a tie, 1 or 2")
    return VERDICTS[said]
