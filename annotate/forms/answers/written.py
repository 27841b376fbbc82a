"""The field for a response that a person writes."""

from typing import Any

from django import forms

MOST_CHARACTERS = 100_000


class WrittenField(forms.CharField):
    """A text as long as a response may be, kept as written; line breaks become what the database has them as."""

    def __init__(self, *, required: str = "") -> None:
        """`required` is what to say when it is missing; without it the text may be empty."""
        super().__init__(
            required=bool(required), strip=False, max_length=MOST_CHARACTERS, error_messages={"required": required}
        )

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
