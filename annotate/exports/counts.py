"""How many lines a snapshot has in each form, and what is left out of it: counted once, while it is frozen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.exports.forms import FORMS, Form
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Row

# What a judgement is called where a form has no line for it: one, several.
REMARKS = {
    "tie": ("tie", "ties"),
    "both_bad": ("“both bad”", "“both bad”"),
    "comparison": ("comparison", "comparisons"),
    "ranking": ("ranking", "rankings"),
    "level_ranking": ("ranking that ties all", "rankings that tie all"),
    "rating": ("rating", "ratings"),
    "level_rating": ("rating without a gap", "ratings without a gap"),
    "demonstration": ("demonstration", "demonstrations"),
    "edit": ("edit", "edits"),
    "spans": ("marked response", "marked responses"),
}


FORMS_BY_PARTS: dict[Callable[[Row], Sequence[Any]], list[Form]] = {
    parts: [form for form in FORMS.values() if form.parts is parts] for parts in {form.parts for form in FORMS.values()}
}


class Tally:
    """Counts rows as they pass: {split: {"rows": {form: lines}, "left_out": {form: {remark: judgements}}}}."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = defaultdict(Counter)
        self.left_out: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    def add(self, row: Row) -> None:
        rows, left_out = self.rows[row.facts.split], self.left_out[row.facts.split]
        for parts, forms in FORMS_BY_PARTS.items():
            lines = len(parts(row))
            remark = "" if lines else KIND_EXPORTS[row.facts.kind].remark(row)
            for form in forms:
                rows[form.name] += lines
                if not lines and not form.of_prompts:
                    left_out[form.name][remark] += 1

    def to_json(self) -> dict[str, Any]:
        return {
            split: {
                "rows": dict(rows),
                "left_out": {form: dict(counts) for form, counts in self.left_out[split].items()},
            }
            for split, rows in self.rows.items()
        }


@dataclass(frozen=True)
class FormCounts:
    """Lines in one form, and the judgements without one, by remark."""

    rows: int
    left_out: Mapping[str, int]

    @property
    def judgements_left_out(self) -> int:
        return sum(self.left_out.values())

    def explain_left_out(self) -> str:
        """ "2 ties and 1 “both bad”"; empty when every judgement has a line."""
        counts = {remark: self.left_out[remark] for remark in REMARKS if self.left_out.get(remark)}
        parts = [f"{count:,} {REMARKS[remark][count != 1]}" for remark, count in counts.items()]
        return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def knows_form(stored: Mapping[str, Any], form: str) -> bool:
    return any(form in counts["rows"] for counts in stored.values())


def read_counts(stored: Mapping[str, Any], form: str, splits: Iterable[str]) -> FormCounts:
    """The counts of one form over these splits, out of what `Tally.to_json` gave."""
    rows, left_out = 0, Counter[str]()
    for split in splits:
        counts = stored.get(split, {"rows": {}, "left_out": {}})
        rows += counts["rows"].get(form, 0)
        left_out.update(counts["left_out"].get(form, {}))
    return FormCounts(rows=rows, left_out=left_out)
