"""What a person sends in a live chat: a message, and which of two answers is better."""

from django import forms

from annotate.forms.answers.comparison import ComparisonForm


class MessageForm(forms.Form):
    """A message; `chat` is the chat it was typed in, empty for a new one."""

    submission_id = forms.UUIDField()
    chat = forms.IntegerField(required=False, min_value=1)
    message = forms.CharField(
        max_length=20_000,
        error_messages={
            "required": "Write a message first.",
            "max_length": "The message has %(show_value)d characters; %(limit_value)d are allowed. Shorten it.",
        },
    )


class LiveAnswerForm(ComparisonForm):
    """A comparison of answers that may still be on their way: `seen_a` and `seen_b` are the bytes the page had."""

    def add_fields(self) -> None:
        super().add_fields()
        for entry in self.shown:
            self.fields[f"seen_{entry.letter.lower()}"] = forms.IntegerField(required=False, min_value=0)

    def seen(self) -> dict[int, int]:
        """{position: bytes}, of the answers whose place the page knew."""
        places = {entry.position: self.cleaned_data.get(f"seen_{entry.letter.lower()}") for entry in self.shown}
        return {position: place for position, place in places.items() if place is not None}
