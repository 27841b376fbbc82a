"""The keys of the judging page."""

from typing import Any

from django import forms

from annotate.preferences import KEYS, collisions


class KeysForm(forms.Form):
    """One field an action. Two actions never share a key."""

    def __init__(self, data: Any = None, *, keys: dict[str, str]) -> None:
        super().__init__(data, initial=keys)
        attributes = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "data-key-field": ""}
        for action, (standard, label) in KEYS.items():
            widget = forms.TextInput(attrs={**attributes, "size": 2})
            help_text = f"Unless changed: {standard}"
            self.fields[action] = forms.CharField(max_length=20, label=label, widget=widget, help_text=help_text)

    def clean(self) -> dict[str, Any]:
        for action, problem in collisions(self.cleaned_data).items():
            self.add_error(action, problem)
        return self.cleaned_data
