"""What the form of every kind has: the submission, the person's time, flags of each response, the reason."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from django import forms

from annotate.models import Project
from annotate.services.answers.answer import Answer
from annotate.services.answers.shown import Shown

CONTROL = ("submission_id", "active_seconds")  # what is not part of a draft


@dataclass(frozen=True)
class Pane:
    """A response as the page shows it."""

    letter: str
    text: str
    flags: forms.BoundField | None


class AnswerForm(forms.Form):
    """The answer to a task, checked against the project's rules. Values are by letter, as the page shows it.

    A kind's form adds its fields in `add_fields`, and says what they mean in `said`.
    """

    submission_id = forms.UUIDField()
    active_seconds = forms.FloatField(required=False, min_value=0)

    has_flags: ClassVar[bool] = True
    has_rationale: ClassVar[bool] = True

    def __init__(
        self,
        data: Any = None,
        *,
        project: Project,
        shown: Sequence[Shown],
        initial: dict[str, Any] | None = None,
        lenient: bool = False,
    ) -> None:
        """`lenient` takes what is there so far: a draft."""
        super().__init__(data, initial=initial)
        self.project, self.shown, self.lenient = project, list(shown), lenient
        self.add_fields()
        if self.has_flags and project.flag_options:
            self._add_flags()
        if self.has_rationale and project.rationale != Project.Rationale.OFF:
            self._add_rationale()
        if lenient:
            self.fields = {name: optional(field) for name, field in self.fields.items()}

    def add_fields(self) -> None:
        raise NotImplementedError

    def said(self) -> Any:
        """What the kind makes of its own fields; only called on a valid form."""
        raise NotImplementedError

    def panes(self) -> list[Pane]:
        return [
            Pane(entry.letter, entry.response.text, self[name] if name in self.fields else None)
            for entry, name in zip(self.shown, map(flags_field, self.shown), strict=True)
        ]

    def answer(self) -> Answer:
        data = self.cleaned_data
        flags = {entry.letter: data.get(flags_field(entry), []) for entry in self.shown}
        return Answer(said=self.said(), rationale=data.get("rationale", "").strip(), flags=flags, shown=self.shown)

    def draft(self) -> dict[str, Any]:
        """What to keep of a lenient form; empty when there is nothing worth keeping."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in CONTROL}
        return {**data, "active_seconds": self.cleaned_data.get("active_seconds")} if any(data.values()) else {}

    def _add_flags(self) -> None:
        for entry in self.shown:
            self.fields[flags_field(entry)] = flags_choice(tuple(self.project.flag_options))

    def _add_rationale(self) -> None:
        self.fields["rationale"] = forms.CharField(
            required=self.project.rationale == Project.Rationale.REQUIRED,
            max_length=20_000,
            error_messages={"required": "Say in a sentence why. This project asks for a reason."},
        )


@lru_cache(maxsize=256)
def flags_choice(flags: tuple[str, ...]) -> forms.MultipleChoiceField:
    """Made once for the flags of a project: a form changes none of its fields."""
    return forms.MultipleChoiceField(choices=[(flag, flag) for flag in flags], required=False)


def optional(field: forms.Field) -> forms.Field:
    """The same field, which may be left empty."""
    field = copy(field)
    field.required = False
    return field


def flags_field(entry: Shown) -> str:
    return f"flags_{entry.letter.lower()}"
