"""What the API says of itself, and what it says to addresses it does not have; included last."""

from django.urls import path, re_path

from annotate.api import schema
from annotate.api.problems import no_such_address

urlpatterns = [
    path("schema/", schema.schema, name="api-schema"),
    path("docs/", schema.docs, name="api-docs"),
    re_path(r"^(?P<rest>.*)$", no_such_address, name="api-nowhere"),
]
