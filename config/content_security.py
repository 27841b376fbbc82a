"""The Content-Security-Policy header, put together once: no page has a policy of its own."""

from functools import cache

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


class ContentSecurityMiddleware(MiddlewareMixin):
    """django-csp's middleware without nonces and decorators, which builds the same words for every answer."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not (settings.DEBUG and response.status_code in (404, 500)):  # Django's own pages on what went wrong
            response.setdefault(HEADER, policy())
        return response


policy = cache(build_policy)
