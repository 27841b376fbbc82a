from django import forms

EVENTS = [("alarm.raised", "An alarm is raised")]


class WebhookForm(forms.Form):
    """Where to, and of what."""

    url = forms.URLField(
        label="Address",
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/plumbline"}),
        help_text="It is sent a POST with JSON. Addresses inside a private network are refused.",
    )
    events = forms.MultipleChoiceField(
        label="Tell it when",
        choices=EVENTS,
        initial=[name for name, _ in EVENTS],
        widget=forms.CheckboxSelectMultiple,
    )
