"""Lists typed one entry a line."""

from __future__ import annotations

from typing import Any

from django import forms


class LinesField(forms.Field):
    """A list of short texts, one a line in a text area. The limits are on entries and on their characters."""

    widget = forms.Textarea(attrs={"rows": 5})

    def __init__(
        self,
        *,
        label: str,
        help_text: str,
        most: int = 0,
        longest: int = 0,
        required: bool = False,
        what: str = "lines",
    ) -> None:
        """0 is no limit. `what` is what the entries are called in an error."""
        super().__init__(label=label, help_text=help_text, required=required)
        self.most, self.longest, self.what = most, longest, what

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:
        lines = list(value) if isinstance(value, list | tuple) else str(value or "").splitlines()
        if any("\x00" in line for line in lines):
            raise forms.ValidationError("There is a null character in it, which no text may have. Remove it.")
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if self.most and len(value) > self.most:
            raise forms.ValidationError(
                f"There are {len(value)} {self.what}; at most {self.most} fit. Remove {len(value) - self.most}."
            )
        if self.longest and (long := next((line for line in value if len(line) > self.longest), None)):
            raise forms.ValidationError(f"“{long[:30]}…” has {len(long)} characters; shorten it to {self.longest}.")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data or "")
