from typing import ClassVar

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from annotate.models import User


class SignInForm(AuthenticationForm):
    """E-mail and password. The address is lower-cased first, so that one lock-out counts every way to write it."""

    username = UsernameField(
        label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )

    error_messages = {
        "invalid_login": "This e-mail and password do not belong together. Check both, or reset the password.",
        "inactive": "This account is closed. Ask the owner of your project.",
    }

    def clean_username(self) -> str:
        return self.cleaned_data["username"].strip().lower()


class AccountForm(forms.ModelForm):
    class Meta:
        model = User
        fields: ClassVar = ["name"]
        help_texts: ClassVar = {
            "name": "Shown to the owners of your projects. Annotators never see each other's names."
        }


class JoinForm(forms.Form):
    """What a new person says about themselves; the address is fixed when the invitation names one."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters. A few unrelated words are good; one common word is not.",
    )

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()

    def clean(self) -> dict:
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            person = User(email=cleaned.get("email", ""), name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
