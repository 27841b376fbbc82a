"""The form of a demonstration: the text, and the suggestion it was started from."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.answers.written import WrittenField
from annotate.kinds.options import DemonstrationOptions, read_options
from annotate.models import Kind
from annotate.services.answers.demonstration import DemonstrationAnswer
from annotate.services.answers.text_distance import split_words

MISSING = "Write the response you would like to have read."


class DemonstrationForm(AnswerForm):
    has_flags: ClassVar[bool] = False
    has_rationale: ClassVar[bool] = False

    def add_fields(self) -> None:
        self.options: DemonstrationOptions = read_options(Kind.DEMONSTRATION, self.project.kind_options)
        self.fields["text"] = WrittenField(required=MISSING)
        if self.shown and self.options.show_suggestions:
            letters = [(entry.letter, entry.letter) for entry in self.shown]
            self.fields["suggestion"] = forms.ChoiceField(choices=[("", "None"), *letters], required=False)

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        words, least = len(split_words(text)), self.options.least_words
        if self.lenient or words >= max(1, least):
            return text
        if not words:
            raise forms.ValidationError(MISSING)
        raise forms.ValidationError(f"This has {words} of the {least} words that this project asks for. Write more.")

    def said(self) -> DemonstrationAnswer:
        data = self.cleaned_data
        return DemonstrationAnswer(text=data["text"].strip(), suggestion=data.get("suggestion", ""))
