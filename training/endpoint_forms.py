"""The forms of endpoints."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django import forms

from training.models import Endpoint, EndpointBudget
from training.services.endpoints import EndpointSettings, settings_of

LARGEST = 1_000_000
TYPED = "Enter it once more: a key is never sent back to a page."


class EndpointForm(forms.Form):
    """Where a model is asked, with which key, at what price and how often."""

    name = forms.CharField(max_length=120, help_text="What it is called here; it signs its responses.")
    base_url = forms.CharField(
        label="Base URL",
        max_length=300,
        help_text="Usually ends in /v1: https://api.openai.com/v1, https://openrouter.ai/api/v1, your own server.",
        widget=forms.URLInput(attrs={"placeholder": "https://api.openai.com/v1", "spellcheck": "false"}),
    )
    remote_name = forms.CharField(
        label="Model", max_length=200, help_text="As the server names it, such as gpt-4o-mini or llama3.1:8b."
    )
    protocol = forms.ChoiceField(
        choices=Endpoint.Protocol.choices,
        help_text="Plain completions are for models that only continue text.",
    )
    key = forms.CharField(
        required=False,
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    price_in = forms.DecimalField(
        label="Price of what it reads", min_value=0, max_digits=10, decimal_places=4, initial=Decimal(0)
    )
    price_out = forms.DecimalField(
        label="Price of what it writes",
        min_value=0,
        max_digits=10,
        decimal_places=4,
        initial=Decimal(0),
        help_text="Dollars a million tokens, as the provider lists them. 0 is free.",
    )
    requests_per_minute = forms.IntegerField(label="Requests a minute", min_value=1, max_value=LARGEST, initial=60)
    tokens_per_minute = forms.IntegerField(
        label="Tokens a minute", min_value=1, max_value=100 * LARGEST, required=False, help_text="Empty: no limit."
    )
    at_once = forms.IntegerField(label="At once", min_value=1, max_value=32, initial=4, help_text="1 to 32 requests.")
    timeout = forms.IntegerField(label="Longest wait", min_value=1, max_value=600, initial=60, help_text="Seconds.")
    max_retries = forms.IntegerField(
        label="Tries again", min_value=0, max_value=10, initial=5, help_text="When busy or broken."
    )

    def __init__(self, data: Any = None, *, endpoint: Endpoint | None = None) -> None:
        super().__init__(data, initial=asdict(settings_of(endpoint)) if endpoint else None)
        typed = bool(data and data.get("key"))
        self.fields["key"].help_text = TYPED if typed else describe_key(endpoint)

    def wanted(self) -> EndpointSettings:
        return EndpointSettings(**{name: value for name, value in self.cleaned_data.items() if name != "key"})


def describe_key(endpoint: Endpoint | None) -> str:
    if endpoint is None or not endpoint.sealed_key:
        return "Empty for a server without one. It is sealed here and never shown again."
    known = f"One that ends in {endpoint.key_ends} is sealed here" if endpoint.key_ends else "One is sealed here"
    return f"{known}. Leave this empty to keep it."


class BudgetForm(forms.Form):
    """The most a project spends on its endpoints."""

    a_day = forms.DecimalField(label="Dollars a day", min_value=0, max_digits=10, decimal_places=2, required=False)
    a_month = forms.DecimalField(label="Dollars a month", min_value=0, max_digits=10, decimal_places=2, required=False)

    def __init__(self, data: Any = None, *, budget: EndpointBudget | None = None) -> None:
        super().__init__(data, initial={"a_day": budget.a_day, "a_month": budget.a_month} if budget else None)
