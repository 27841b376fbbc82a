"""How values look on a page: rendered Markdown, times, durations, shares, statuses, the project's tabs."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import template
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from annotate.markdown import render_markdown
from annotate.models import Kind, Project, Role
from annotate.preferences import keys_of

register = template.Library()

STATUS_KINDS = {
    "draft": "neutral",
    "queued": "neutral",
    "running": "info pill-active",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "warning",
    "open": "info",
    "held": "info",
    "done": "success",
    "closed": "neutral",
    "stopped": "danger",
    "skipped": "neutral",
}

EVERYONE = tuple(Role)
REVIEWERS = (Role.OWNER, Role.REVIEWER)
OWNERS = (Role.OWNER,)
# label, name of the URL, the roles that may open it
TABS = [
    ("Overview", "project-overview", REVIEWERS),
    ("Judge", "judge", EVERYONE),
    ("Chat", "chat", EVERYONE),
    ("History", "judgement-history", EVERYONE),
    ("My work", "my-statistics", EVERYONE),
    ("Guidelines", "project-guidelines", EVERYONE),
    ("Prompts", "project-prompts", REVIEWERS),
    ("Tasks", "project-tasks", REVIEWERS),
    ("People", "project-people", OWNERS),
    ("Quality", "project-quality", REVIEWERS),
    ("Review", "project-review", REVIEWERS),
    ("Snapshots", "project-snapshots", REVIEWERS),
    ("Rounds", "project-rounds", REVIEWERS),
    ("Runs", "project-runs", REVIEWERS),
    ("Models", "project-models", REVIEWERS),
    ("Leaderboard", "project-leaderboard", REVIEWERS),
    ("Settings", "project-settings", OWNERS),
    ("Audit", "project-audit", OWNERS),
]
# pages of a kind, and the kind that the project must have switched on for their tab to appear
OF_A_KIND = {"chat": Kind.CHAT}
# pages without a tab of their own, by a part of their address, and the tab they are kept under
KEPT_UNDER = {
    "/imports/": "/prompts/",
    "/generations/": "/models/",
    "/endpoints/": "/models/",
    "/evaluations/": "/leaderboard/",
    "/alarms/": "/runs/",
    "/ablations/": "/runs/",
    "/tokens/": "/people/",
    "/webhooks/": "/settings/",
    "/questionnaire/": "/people/",
    "/recipes/": "/rounds/",
    "/policies/": "/rounds/",
}


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    is_current: bool


@register.filter
def markdown(text: str) -> SafeString:
    """Hostile Markdown as harmless HTML. Wrap it in an element of class `prose`."""
    return render_markdown(text or "")


@register.filter
def ago(moment: datetime | None) -> str:
    """A <time> element: "3 minutes ago", the exact moment in its tooltip. Empty for None."""
    if moment is None:
        return ""
    exact = timezone.localtime(moment)
    seconds = (timezone.now() - moment).total_seconds()
    if 0 <= seconds < 60:
        words = "just now"
    elif seconds < 0:
        words = "in " + timesince(timezone.now(), moment, depth=1)
    else:
        words = timesince(moment, depth=1) + " ago"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', exact.isoformat(), exact.strftime("%d %b %Y, %H:%M:%S %Z"), words
    )


@register.filter
def duration(value: float | timedelta | None) -> str:
    """Seconds or a timedelta in words as short as they can be: "8 s", "3 min 5 s", "2 h 4 min", "3 d 1 h"."""
    if value is None:
        return "–"
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else float(value))
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((index for index, (count, _) in enumerate(parts) if count), 3)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


@register.filter
def percent(share: float | None, decimals: int = 0) -> str:
    """A share between 0 and 1 as "62 %"; "–" for None."""
    return "–" if share is None else f"{share * 100:.{decimals}f} %".replace("-", "−")


@register.filter
def action_words(action: str) -> str:
    """What an audit event's action says: "member.role_changed" as "Member role changed"."""
    return action.replace(".", " ").replace("_", " ").capitalize()


@register.filter
def facts(data: dict[str, object]) -> list[tuple[str, str]]:
    """An audit event's data as labelled words; a change, {"before": 1, "after": 2}, as "1 → 2"."""
    if set(data) == {"before", "after"}:
        return [("change", fact_words(data))]
    return [(name.replace("_", " "), fact_words(value)) for name, value in data.items()]


def fact_words(value: object) -> str:
    if isinstance(value, dict) and set(value) == {"before", "after"}:
        return f"{fact_words(value['before'])} → {fact_words(value['after'])}"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {fact_words(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(fact_words, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)


@register.inclusion_tag("_shared/pill.html")
def status_pill(status: str, label: str = "") -> dict[str, str]:
    """A pill for a job's status: {% status_pill run.status run.get_status_display %}."""
    return {"kind": STATUS_KINDS.get(status, "neutral"), "label": label or str(status).capitalize()}


@register.simple_tag(takes_context=True)
def key(context: Context, action: str) -> str:
    """The key this person has for an action of the judging page: <kbd>{% key "skip" %}</kbd>."""
    return keys_of(context["request"].user.preferences)[action]


@register.simple_tag(takes_context=True)
def judging_keys(context: Context) -> str:
    """All of them as JSON, {action: key}, for the page's script."""
    return json.dumps(keys_of(context["request"].user.preferences))


@register.simple_tag(takes_context=True)
def project_tabs(context: Context) -> list[Tab]:
    """The project's pages this membership may open, the current one marked by the longest matching path."""
    membership, path = context["membership"], context["request"].path
    for part, tab in KEPT_UNDER.items():
        path = path.replace(part, tab)
    urls = [
        (label, tab_url(name, membership.project_id))
        for label, name, roles in TABS
        if membership.role in roles and is_offered(name, membership.project)
    ]
    matching = [url for _, url in urls if url and path.startswith(url)]
    current = max(matching, key=len, default="")
    return [Tab(label, url, url == current) for label, url in urls if url]


def is_offered(name: str, project: Project) -> bool:
    return name not in OF_A_KIND or OF_A_KIND[name] in project.kind_options


def tab_url(name: str, project_id: int) -> str:
    """The page's address, or nothing while no such page exists in this installation."""
    try:
        return reverse(name, args=[project_id])
    except NoReverseMatch:
        return ""
