from __future__ import annotations

from typing import Any

from django import forms

from annotate.models import Project, Role, Scope, User

LIFETIMES = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year")]


class TokenForm(forms.Form):
    """What every token has."""

    name = forms.CharField(max_length=80, help_text="What it is for, so that you know later which one to revoke.")
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that it may do."},
    )
    days = forms.TypedChoiceField(label="It works for", choices=LIFETIMES, coerce=int, initial="90")


class OwnTokenForm(TokenForm):
    """A person's own token, in all their projects or in one."""

    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, empty_label="All my projects", label="Where it works"
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        choice = self.fields["project"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Project.objects.visible_to(user).order_by("name", "pk")


class ServiceTokenForm(TokenForm):
    """A token of the project's own, which stays when people leave."""

    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.REVIEWER,
        help_text="Its account becomes a member of the project, and signs what it does.",
    )
