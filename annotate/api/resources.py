"""Operations at one address, as a view of Django REST framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotate.api.authentication import TokenAuthentication
from annotate.api.described import described
from annotate.api.operations import Operation, perform
from annotate.api.problems import answer_problem
from annotate.api.throttling import RATE, PerCaller


class AlwaysJson(BaseContentNegotiation):
    """Whatever a client accepts, it gets JSON: that is all there is."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next((parser for parser in parsers if takes(parser, request.content_type)), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, only.media_type


def takes(parser: BaseParser, content_type: str) -> bool:
    return content_type.split(";")[0].strip().lower() == parser.media_type


class ApiView(APIView):
    """The operations of one address, by method."""

    operations: ClassVar[Mapping[str, Operation]] = {}
    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (PerCaller,)
    renderer_classes = (JSONRenderer,)
    parser_classes: Sequence[type[BaseParser]] = (JSONParser,)
    content_negotiation_class = AlwaysJson
    metadata_class = None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_problem

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.setdefault("Cache-Control", "private, no-cache")
        rate = request.META.get(RATE)
        if rate is not None:
            for name, value in zip(("Limit", "Remaining", "Reset"), rate, strict=True):
                answer[f"RateLimit-{name}"] = str(value)
        return answer


class UploadView(ApiView):
    """An address that takes files besides."""

    parser_classes = (MultiPartParser, FormParser, JSONParser)


def resource(*operations: Operation, takes_files: bool = False) -> Callable[..., HttpResponseBase]:
    """The view of one address."""
    parent = UploadView if takes_files else ApiView
    by_method = {wanted.method: wanted for wanted in operations}
    handlers = {wanted.method.lower(): described(handler(wanted), wanted) for wanted in operations}
    name = "".join(part.title() for part in operations[0].name.split("_"))
    view: type[ApiView] = type(f"{name}View", (parent,), {**handlers, "operations": by_method})
    return view.as_view()


def handler(wanted: Operation) -> Callable[..., HttpResponseBase]:
    def handle(view: APIView, request: Request, **path: Any) -> HttpResponseBase:
        return perform(wanted, request, path)

    handle.__doc__ = wanted.run.__doc__
    return handle
