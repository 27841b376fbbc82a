"""Filters and tags of every page: Markdown, times, shares, status pills, which tab is open."""

from datetime import datetime

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotate.markdown import render_markdown

register = template.Library()

PILLS = {
    "draft": "neutral",
    "queued": "neutral",
    "running": "info",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "warning",
    "open": "info",
    "done": "success",
    "closed": "neutral",
}


@register.filter
def markdown(text: str) -> SafeString:
    return render_markdown(text or "")


@register.filter
def duration(seconds: float | None) -> str:
    """75 → "1 min 15 s". Empty for None."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """0.256 → "26 %". A dash for None."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A <time> that says how long ago, with the exact moment on hover."""
    if moment is None:
        return "never"
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', exact.isoformat(), f"{exact:%d %b %Y %H:%M %Z}", spoken_age(moment)
    )


def spoken_age(moment: datetime) -> str:
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 0:
        return f"in {spoken_span(-seconds)}"
    return "just now" if seconds < 45 else f"{spoken_span(seconds)} ago"


def spoken_span(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = round(seconds / size)
        if count >= 1 and (unit != "day" or seconds >= 86400):
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "a moment"


@register.simple_tag
def status_pill(status: str, label: str = "") -> SafeString:
    """{% status_pill run.status run.get_status_display %}"""
    active = " pill-active" if status == "running" else ""
    return format_html('<span class="pill pill-{}{}">{}</span>', PILLS.get(status, "neutral"), active, label or status)


@register.simple_tag(takes_context=True)
def project_tab(context: template.Context, label: str, url_name: str, *prefixes: str) -> SafeString | str:
    """A tab of the project, marked as current on its own page and on those whose URL name starts with a prefix."""
    match = context["request"].resolver_match
    open_now = ((match and match.url_name) or "").startswith((url_name, *prefixes))
    try:
        address = reverse(url_name, args=[context["project"].pk])
    except NoReverseMatch:
        return ""
    return format_html('<a href="{}"{}>{}</a>', address, format_html(' aria-current="page"') if open_now else "", label)
