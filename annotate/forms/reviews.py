"""What reviewers write, and what is written back."""

from __future__ import annotations

from django import forms


class DecisionForm(forms.Form):
    """Beside the kind's own form, as part of it."""

    reason = forms.CharField(
        label="Why",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "form": "answer"}),
        error_messages={"required": "Say why you decide so. The reason is kept with the decision."},
        help_text="Kept with the decision; owners and reviewers read it.",
    )


class CommentForm(forms.Form):
    submission_id = forms.UUIDField(widget=forms.HiddenInput)
    judgement = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    body = forms.CharField(
        label="Message",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write something before you send it."},
    )
    asks_correction = forms.BooleanField(label="Send it back: ask for a correction", required=False)


class ReplyForm(forms.Form):
    submission_id = forms.UUIDField(widget=forms.HiddenInput)
    body = forms.CharField(
        label="Your answer",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write something before you send it."},
    )
