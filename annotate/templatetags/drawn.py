"""Parts of the judging page that are the same from task to task, drawn once for each set of values and then kept."""

from functools import lru_cache
from typing import Any, cast

from django import template
from django.forms import BoundField, ChoiceField
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from annotate.forms.answers.comparison import StripPoint

register = template.Library()


@register.filter
def draw_point(point: StripPoint) -> SafeString:
    """One cell of a strip."""
    return _point(point)


@register.simple_tag
def draw_flags(field: BoundField | None, letter: str) -> str:
    """The flags of the response with this letter; nothing where the project has none."""
    if field is None:
        return ""
    options = tuple(value for value, _ in _choices(field))
    return _flags(field.name, letter, options, tuple(field.value() or ()), tuple(field.errors))


@register.simple_tag
def draw_reasons(field: BoundField) -> SafeString:
    """Why a task may be skipped."""
    return _reasons(_choices(field), field.value() or "")


def _choices(field: BoundField) -> tuple[tuple[str, str], ...]:
    pairs: Any = cast(ChoiceField, field.field).choices  # ours are plain pairs
    return tuple(pairs)


@lru_cache(maxsize=1024)
def _point(point: StripPoint) -> SafeString:
    return render_to_string("judging/_point.html", {"point": point})


@lru_cache(maxsize=256)
def _flags(
    name: str, letter: str, options: tuple[str, ...], chosen: tuple[str, ...], errors: tuple[str, ...]
) -> SafeString:
    values = {"name": name, "letter": letter, "options": options, "chosen": chosen, "errors": errors}
    return render_to_string("judging/_flags.html", values)


@lru_cache(maxsize=64)
def _reasons(choices: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    return render_to_string("judging/_skip_reasons.html", {"choices": choices, "chosen": chosen})
