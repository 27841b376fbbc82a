"""What was typed into forms that depend on the algorithm, when another one is chosen.

It is shown again, unjudged, in the fields that the new forms have too, and waits in hidden fields where they have not.
What nobody touched is what the new algorithm begins with. The hidden fields `typed` name what was typed so far: such a
value is kept even where it happens to be what an algorithm begins with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

TYPED = "typed"
Hidden = list[tuple[str, str]]  # (name, value) of each


def carry_over(before: Sequence[forms.Form], after: Sequence[forms.Form], said: QueryDict) -> Hidden:
    """Let the unbound forms `after` begin with what was typed into those `before`; returns the hidden fields."""
    changed = set().union(*(changed_names(form, said) for form in before))
    for form in after:
        form.initial = {**form.initial, **typed_values(form, changed.union(said.getlist(TYPED)), said)}
    return hidden_fields(after, said, changed)


def hidden_fields(shown: Iterable[forms.Form], said: QueryDict, changed: Iterable[str] = ()) -> Hidden:
    """The names of what was typed before or is `changed` now, and the values that none of these forms shows."""
    names = sorted({*said.getlist(TYPED), *changed})
    fields = {form.add_prefix(name) for form in shown for name in form.fields}
    waiting = [(name, value) for name in names if name not in fields for value in said.getlist(name)]
    return [*((TYPED, name) for name in names), *waiting]


def changed_names(form: forms.Form, said: QueryDict) -> set[str]:
    """The fields, as the page names them, that were sent with something else than the unbound form begins with."""
    names = {name: form.add_prefix(name) for name in form.fields}
    return {
        sent
        for name, sent in names.items()
        if not form.fields[name].widget.value_omitted_from_data(said, {}, sent)
        and as_sent(form.fields[name].widget.value_from_datadict(said, {}, sent)) != as_sent(form[name].value())
    }


def typed_values(form: forms.Form, names: set[str], said: QueryDict) -> dict[str, Any]:
    """Of the fields that were typed into, the values this form can show."""
    own = {name: form.fields[name].widget for name in form.fields if form.add_prefix(name) in names}
    values = {name: widget.value_from_datadict(said, {}, form.add_prefix(name)) for name, widget in own.items()}
    return {name: value for name, value in values.items() if offers(own[name], value)}


def offers(widget: forms.Widget, value: Any) -> bool:
    """Whether a choice is among those of this form: another algorithm may have others."""
    if not isinstance(widget, forms.widgets.ChoiceWidget):
        return True
    return set(as_sent(value)) <= {str(key) for key, _ in widget.choices}


def as_sent(value: Any) -> list[str]:
    """A field's value as a browser sends it, whether it was typed or is what the form begins with."""
    values = value if isinstance(value, list) else [value]
    return sorted("" if one is None else str(one) for one in values)
