"""The endpoints of a project: adding one, changing, trying and removing it, and what may be spent."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Author, Project, Response, User
from annotate.services.audit import record_audit
from training.endpoints.addresses import check_address
from training.endpoints.troubles import Denied
from training.models import Endpoint, EndpointBudget, ModelVersion
from training.services.endpoint_keys import ending, seal
from training.services.registry import create_model

MOST_ENDPOINTS = 100


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """All of an endpoint that its owner sets, without the key. Prices are dollars a million tokens."""

    name: str
    base_url: str
    remote_name: str
    protocol: str = Endpoint.Protocol.CHAT
    price_in: Decimal = Decimal(0)
    price_out: Decimal = Decimal(0)
    requests_per_minute: int = 60
    tokens_per_minute: int | None = None
    at_once: int = 4
    timeout: int = 60
    max_retries: int = 5

    def without_name(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "name"}


def settings_of(endpoint: Endpoint) -> EndpointSettings:
    values = {item.name: getattr(endpoint, item.name) for item in fields(EndpointSettings) if item.name != "name"}
    return EndpointSettings(name=endpoint.model.name, **values)


@transaction.atomic
def add_endpoint(*, project: Project, user: User, wanted: EndpointSettings, key: str = "") -> Endpoint:
    """Make a model that is asked elsewhere. Raises ValidationError by field."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    checked = check_settings(project, wanted, key)
    if Endpoint.objects.of_project(project).filter(removed_at=None).count() >= MOST_ENDPOINTS:
        raise ValidationError({"name": f"A project has at most {MOST_ENDPOINTS} endpoints. Remove one first."})
    model = create_model(
        project=project,
        user=user,
        kind=ModelVersion.Kind.ENDPOINT,
        name=checked.name,
        origin=origin_of(checked),
    )
    endpoint = Endpoint.objects.create(
        project=project,
        model=model,
        sealed_key=seal(key) if key else "",
        key_ends=ending(key),
        created_by=user,
        **checked.without_name(),
    )
    facts = {"base_url": checked.base_url, "model": checked.remote_name, "has_key": bool(key)}
    record_audit(actor=user, action="endpoint.added", project=project, target=model, data=facts)
    return endpoint


@transaction.atomic
def change_endpoint(*, endpoint: Endpoint, user: User, wanted: EndpointSettings, key: str = "") -> Endpoint:
    """Change what is set; without a `key` the one it has stays. Raises ValidationError by field.

    A key is never sent to another server than it was entered for: a new address needs the key again.
    """
    Project.objects.select_for_update(no_key=True).get(pk=endpoint.project_id)
    if endpoint.removed_at:
        raise ValidationError({"name": f"“{endpoint}” was removed. Add it again under another name."})
    checked = check_settings(endpoint.project, wanted, key, endpoint=endpoint)
    before = settings_of(endpoint)
    if endpoint.sealed_key and not key and server_of(checked.base_url) != server_of(before.base_url):
        raise ValidationError(
            {"key": "The address is another server's. Enter the key again, so that it is not sent there by mistake."}
        )
    for name, value in checked.without_name().items():
        setattr(endpoint, name, value)
    if key:
        endpoint.sealed_key, endpoint.key_ends = seal(key), ending(key)
    endpoint.save()
    rename(endpoint.model, checked)
    changed = sorted(name for name, value in asdict(checked).items() if value != getattr(before, name))
    facts = {"changed": [*changed, *(["key"] if key else [])]}
    record_audit(actor=user, action="endpoint.changed", project=endpoint.project, target=endpoint.model, data=facts)
    return endpoint


def rename(model: ModelVersion, wanted: EndpointSettings) -> None:
    model.name, model.origin = wanted.name, origin_of(wanted)
    model.save(update_fields=["name", "origin"])
    if model.author is not None and model.author.name != wanted.name:
        model.author.name = wanted.name
        model.author.save(update_fields=["name"])


@transaction.atomic
def remove_endpoint(*, endpoint: Endpoint, user: User) -> bool:
    """Forget its key and ask it no more; what it wrote stays. False when it was removed before."""
    here = Endpoint.objects.filter(pk=endpoint.pk, removed_at=None)
    if not here.update(removed_at=timezone.now(), sealed_key="", key_ends=""):
        return False
    record_audit(actor=user, action="endpoint.removed", project=endpoint.project, target=endpoint.model)
    return True


@transaction.atomic
def set_budget(*, project: Project, user: User, a_day: Decimal | None, a_month: Decimal | None) -> EndpointBudget:
    """The most the project spends on endpoints, in dollars; None is no limit."""
    budget, _ = EndpointBudget.objects.get_or_create(project=project)
    if (budget.a_day, budget.a_month) != (a_day, a_month):
        budget.a_day, budget.a_month = a_day, a_month
        budget.save(update_fields=["a_day", "a_month"])
        facts = {name: None if value is None else str(value) for name, value in (("day", a_day), ("month", a_month))}
        record_audit(actor=user, action="endpoints.budget_set", project=project, data=facts)
    return budget


def check_settings(
    project: Project, wanted: EndpointSettings, key: str, *, endpoint: Endpoint | None = None
) -> EndpointSettings:
    """The settings as they are kept. Raises ValidationError by field."""
    errors: dict[str, str] = {}
    values = asdict(wanted) | {"name": wanted.name.strip(), "remote_name": wanted.remote_name.strip()}
    try:
        values["base_url"] = check_address(wanted.base_url, settings.ENDPOINT_PRIVATE_HOSTS)
    except Denied as denied:
        errors["base_url"] = str(denied)
    if is_taken(project, values["name"], endpoint):
        errors["name"] = f"This project already has a model named “{values['name']}”. Choose another name."
    if endpoint and endpoint.remote_name != values["remote_name"] and has_written(endpoint):
        errors["remote_name"] = (
            f"It has written responses as “{endpoint.remote_name}”, which stay what they are. Add another endpoint for "
            "another model."
        )
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        errors["key"] = "A key has neither spaces nor line breaks nor letters beyond ASCII. Copy it once more."
    if errors:
        raise ValidationError(errors)
    return EndpointSettings(**values)


def is_taken(project: Project, name: str, endpoint: Endpoint | None) -> bool:
    models = ModelVersion.objects.of_project(project).filter(name=name)
    if endpoint is None:
        return models.exists()  # an author that came with a file becomes the model's
    authors = Author.objects.of_project(project).filter(kind=Author.Kind.ENDPOINT, name=name)
    own = endpoint.model
    return models.exclude(pk=own.pk).exists() or authors.exclude(model_version=own).exists()


def has_written(endpoint: Endpoint) -> bool:
    return Response.objects.filter(author=endpoint.model.author).exists()


def origin_of(wanted: EndpointSettings) -> str:
    """What a model's page says of where it comes from: the server, and what it calls the model."""
    return f"{urlsplit(wanted.base_url).netloc}: {wanted.remote_name}"[:300]


def server_of(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
