"""The form of an edit: the copy to improve, and the reason where the project asks for one."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.answers.written import WrittenField
from annotate.kinds.options import EditOptions, read_options
from annotate.models import Kind, Project
from annotate.services.answers.edit import EditAnswer


class EditForm(AnswerForm):
    has_rationale: ClassVar[bool] = False  # the project's; an edit has a rule of its own

    def add_fields(self) -> None:
        options: EditOptions = read_options(Kind.EDIT, self.project.kind_options)
        field = WrittenField(required="The text is empty. Keep what is good of the original, or skip this task.")
        field.initial = self.original()
        self.fields["text"] = field
        if options.ask_reason != Project.Rationale.OFF:
            self.fields["rationale"] = forms.CharField(
                required=options.ask_reason == Project.Rationale.REQUIRED,
                max_length=20_000,
                error_messages={"required": "Say in a sentence what you changed and why. This project asks for it."},
            )

    def original(self) -> str:
        """The response as a text field gives it back."""
        return WrittenField().to_python(self.shown[0].response.text)

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        if not self.lenient and not text.strip():
            raise forms.ValidationError(str(self.fields["text"].error_messages["required"]))
        if not self.lenient and text.strip() == self.original().strip():
            raise forms.ValidationError("Nothing is changed yet. Improve the text, or skip it if it needs nothing.")
        return text

    def said(self) -> EditAnswer:
        return EditAnswer(text=self.cleaned_data["text"])

    def draft(self) -> dict[str, Any]:
        """Nothing, as long as the copy is the original."""
        data = self.cleaned_data
        rest = [value for name, value in data.items() if name not in ("text", "submission_id", "active_seconds")]
        return super().draft() if data.get("text") != self.original() or any(rest) else {}
