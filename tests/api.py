"""The API as programs use it: our own Python client, its requests going through Django's test client."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from annotate.models import ApiToken, Project, Scope, User
from annotate.services.tokens import create_token
from plumbline_client.client import Plumbline
from plumbline_client.transport import Answer, Request

ALL = [scope.value for scope in Scope]


def make_token(user: User, scopes: list[str] | None = None, *, project: Project | None = None) -> str:
    return create_token(user=user, name="test", scopes=scopes or ALL, days=30, project=project)[1]


def api_of(user: User, scopes: list[str] | None = None, *, project: Project | None = None) -> Plumbline:
    return api_with(make_token(user, scopes, project=project))


def api_with(token: str) -> Plumbline:
    return Plumbline("http://testserver", token, send=send_through_django)


def send_through_django(request: Request) -> Answer:
    answer = Client(raise_request_exception=True).generic(
        request.method,
        request.url.removeprefix("http://testserver"),
        request.body or b"",
        content_type=request.headers.get("Content-Type", ""),
        headers={name: value for name, value in request.headers.items() if name != "Content-Type"},
    )
    return Answer(answer.status_code, dict(answer.headers), answer.getvalue())


def expire(token: ApiToken) -> None:
    token.expires_at = timezone.now() - timedelta(seconds=1)
    token.save(update_fields=["expires_at"])
