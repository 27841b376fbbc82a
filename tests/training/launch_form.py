"""The launch form as a browser without JavaScript reads and sends it."""

from collections import defaultdict

from bs4 import BeautifulSoup

FIELDS = "input[name]:not([name=csrfmiddlewaretoken]), select[name]"


def read_form(page: bytes) -> dict[str, list[str]]:
    """What a browser would send if nobody touched anything."""
    sent = defaultdict(list)
    for field in BeautifulSoup(page, "html.parser").select_one("form.run-form").select(FIELDS):
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            sent[field["name"]].append(chosen["value"])
        elif field["type"] != "checkbox" or field.has_attr("checked"):
            sent[field["name"]].append(field.get("value", "on" if field["type"] == "checkbox" else ""))
    return dict(sent)
