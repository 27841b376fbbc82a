"""The form of a ranking: the place of each response. The page's script fills in the places as a person puts the
responses in order; without it they are plain selects."""

from __future__ import annotations

from typing import Any

from django import forms

from annotate.forms.answers.answer_form import AnswerForm
from annotate.kinds.options import RankingOptions, read_options
from annotate.services.answers.ranking import RankingAnswer, rank_field, tiers_of_places


class RankingForm(AnswerForm):
    def add_fields(self) -> None:
        self.options: RankingOptions = read_options("ranking", self.project.kind_options)
        places = [(str(place), str(place)) for place in range(1, len(self.shown) + 1)]
        for entry in self.shown:
            self.fields[rank_field(entry.letter)] = forms.ChoiceField(
                choices=[("", "–"), *places],
                label=f"Place of {entry.letter}",
                error_messages={
                    "required": f"Give response {entry.letter} a place.",
                    "invalid_choice": f"“%(value)s” is no place for response {entry.letter}. "
                    f"Choose from 1 to {len(self.shown)}.",
                },
            )

    def clean(self) -> dict[str, Any]:
        if not self.lenient and not self.options.allow_ties:
            for tied in (tier for tier in self._tiers() if len(tier) > 1):
                letters = f"{', '.join(tied[:-1])} and {tied[-1]}"
                self.add_error(None, f"{letters} have the same place. This project has no ties: give each its own.")
        return self.cleaned_data

    def places(self) -> list[forms.BoundField]:
        return [self[rank_field(entry.letter)] for entry in self.shown]

    def said(self) -> RankingAnswer:
        return RankingAnswer(self._tiers())

    def _tiers(self) -> tuple[tuple[str, ...], ...]:
        chosen = {entry.letter: self.cleaned_data.get(rank_field(entry.letter)) for entry in self.shown}
        return tiers_of_places({letter: int(place) for letter, place in chosen.items() if place})
