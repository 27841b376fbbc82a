"""What an operation of the API is: a method on an address, who may call it, what it takes and what it answers.

The function says what it does; everything else that all of them share (token, scope, membership, body, repeats, ETag)
happens here, in one order, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponseBase
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from annotate.access import get_membership
from annotate.api.bodies import read_body
from annotate.api.etags import check_match, etag_of, is_known
from annotate.api.paging import Page, PageQuery, page_body
from annotate.api.problems import Invalid
from annotate.api.repeats import answer_once
from annotate.models import ApiToken, Membership, Project, Role, Scope, User

SUCCESS = {"GET": 200, "POST": 200, "PUT": 200, "PATCH": 200, "DELETE": 204}


@dataclass
class Call:
    """One request, checked: who, where, and what they sent."""

    request: Request
    user: User
    token: ApiToken | None
    data: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    inside: Membership | None = None

    @property
    def membership(self) -> Membership:
        assert self.inside is not None, "an operation outside of projects asks for its membership"
        return self.inside

    @property
    def project(self) -> Project:
        return self.membership.project


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`answer` is the shape of what is answered (None: nothing, 204), `paged` when it is a list of them; `conflicts`
    when it may be impossible as things stand; `guards` is the GET whose ETag a change may name in If-Match."""

    run: Callable[..., Any]
    method: str
    scope: Scope
    roles: tuple[Role, ...]
    body: type[BaseSerializer] | None = None
    query: type[BaseSerializer] | None = None
    answer: type[BaseSerializer] | None = None
    status: int = 200
    paged: bool = False
    conflicts: bool = False
    repeatable: bool = True
    media_types: tuple[str, ...] = ()  # of what is answered, when it is a file
    ranged: bool = False  # a part of the file may be asked for
    guards: Operation | None = None
    example: Mapping[str, Any] | None = None  # of a body

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def takes_key(self) -> bool:
        return self.method == "POST" and self.repeatable


def operation(
    method: str,
    *,
    scope: Scope,
    roles: tuple[Role, ...] = (),
    body: type[BaseSerializer] | None = None,
    query: type[BaseSerializer] | None = None,
    answer: type[BaseSerializer] | None = None,
    status: int = 0,
    paged: bool = False,
    conflicts: bool = False,
    repeatable: bool = True,
    media_types: tuple[str, ...] = (),
    ranged: bool = False,
    guards: Operation | None = None,
    example: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], Operation]:
    """Make the function an operation. Without `roles` it stands outside of projects."""

    def make(run: Callable[..., Any]) -> Operation:
        return Operation(
            run=run,
            method=method,
            scope=scope,
            roles=roles,
            body=body,
            query=query or (PageQuery if paged else None),
            answer=answer,
            status=status or (SUCCESS[method] if answer or media_types else 204),
            paged=paged,
            conflicts=conflicts,
            repeatable=repeatable,
            media_types=media_types,
            ranged=ranged,
            guards=guards,
            example=example,
        )

    return make


def perform(wanted: Operation, request: Request, path: Mapping[str, Any]) -> HttpResponseBase:
    """Check the call and run it. Raises what `problems` knows how to say."""
    inner = dict(path)
    project_id = inner.pop("project_id", None)
    user, token = who(request)
    check_scope(wanted, token)
    with ExitStack() as stack:
        if wanted.guards and request.headers.get("If-Match"):
            stack.enter_context(transaction.atomic())  # nobody changes it between the look and the change
            list(Project.objects.select_for_update(no_key=True).filter(pk=project_id).values_list("pk"))
        call = Call(request, user, token, inside=enter(wanted, user, token, project_id))
        call.query = read(wanted.query, request.query_params.dict()) if wanted.query else {}
        call.data = read(wanted.body, read_body(request), partial=wanted.method == "PATCH") if wanted.body else {}
        if wanted.guards:
            check_match(request, lambda guard: shape(guard, call, guard.run(call, **inner)), wanted.guards)
        if wanted.takes_key:
            return answer_once(request, user, lambda: respond(wanted, call, wanted.run(call, **inner)))
        return respond(wanted, call, wanted.run(call, **inner))


def check_scope(wanted: Operation, token: ApiToken | None) -> None:
    if token is not None and wanted.scope not in token.scopes:
        has = ", ".join(token.scopes)
        raise PermissionDenied(f"This needs the scope “{wanted.scope}”; this token has {has}. Make one that has it.")


def enter(wanted: Operation, user: User, token: ApiToken | None, project_id: int | None) -> Membership | None:
    """The caller's membership of the project in the address. Strangers, and tokens of other projects, find nothing."""
    if project_id is None:
        return None
    if token is not None and token.project_id not in (None, project_id):
        raise Http404("No such project.")
    return get_membership(user, project_id, wanted.roles)


def who(request: Request) -> tuple[User, ApiToken | None]:
    """The user that authentication found, and the token if it was one."""
    user, token = request.user, request.auth
    assert isinstance(user, User)
    assert token is None or isinstance(token, ApiToken)
    return user, token


def read(kind: type[BaseSerializer], values: Any, *, partial: bool = False) -> dict[str, Any]:
    serializer = kind(data=values, partial=partial)
    if not serializer.is_valid():
        raise Invalid(dict(serializer.errors))
    return dict(serializer.validated_data)


def shape(wanted: Operation, call: Call, result: Any) -> Any:
    assert wanted.answer is not None
    if isinstance(result, Page):
        return page_body(result, wanted.answer, call.request)
    return wanted.answer(result, context={"call": call}).data


def respond(wanted: Operation, call: Call, result: Any) -> HttpResponseBase:
    if isinstance(result, HttpResponseBase):
        return result
    if wanted.answer is None:
        return Response(status=wanted.status)
    body = shape(wanted, call, result)
    if wanted.method != "GET":
        return Response(body, status=wanted.status)
    etag = etag_of(body)
    if is_known(call.request, etag):
        return Response(status=304, headers={"ETag": etag})
    return Response(body, status=wanted.status, headers={"ETag": etag})
