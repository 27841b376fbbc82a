"""The form of a rating: a grid under each response, a row of points for each of the project's questions."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms

from annotate.forms.answers.answer_form import AnswerForm, Pane
from annotate.kinds.options import Question, RatingOptions, read_options
from annotate.services.answers.rating import RatingAnswer, score_field


@dataclass(frozen=True)
class Cell:
    """One point of a row: what it posts, which is also its key, and what it says."""

    value: str
    words: str
    checked: bool


@dataclass(frozen=True)
class Row:
    """One question about one response."""

    name: str  # of the field
    question: Question
    cells: list[Cell]


@dataclass(frozen=True)
class RatedPane(Pane):
    """A response with its grid."""

    rows: list[Row]


class RatingForm(AnswerForm):
    def add_fields(self) -> None:
        self.options: RatingOptions = read_options("rating", self.project.kind_options)
        for entry in self.shown:
            for question in self.options.questions:
                self.fields[score_field(entry.letter, question.key)] = score_choice(entry.letter, question)

    def panes(self) -> list[Pane]:
        return [
            RatedPane(pane.letter, pane.text, pane.flags, [self._row(pane.letter, q) for q in self.options.questions])
            for pane in super().panes()
        ]

    def said(self) -> RatingAnswer:
        scores = {entry.letter: self._scores(entry.letter) for entry in self.shown}
        return RatingAnswer(scores=scores, questions=self.options.questions)

    def _scores(self, letter: str) -> dict[str, int]:
        given = {q.key: self.cleaned_data.get(score_field(letter, q.key)) for q in self.options.questions}
        return {key: int(value) for key, value in given.items() if value}

    def _row(self, letter: str, question: Question) -> Row:
        name = score_field(letter, question.key)
        chosen = str(self[name].value() or "")
        cells = [Cell(value, words, checked=value == chosen) for value, words in cell_words(question)]
        return Row(name, question, cells)


def cell_words(question: Question) -> list[tuple[str, str]]:
    return [
        (str(value), question.names[value - 1] if question.names else str(value))
        for value in range(1, question.points + 1)
    ]


def score_choice(letter: str, question: Question) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=cell_words(question),
        required=question.required,
        label=question.label,
        error_messages={
            "required": f"Response {letter}: answer “{question.label}”.",
            "invalid_choice": f"Response {letter}: “%(value)s” is no answer to “{question.label}”. "
            f"Choose from 1 to {question.points}.",
        },
    )
