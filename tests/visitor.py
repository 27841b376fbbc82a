"""Somebody who uses Plumbline over HTTP alone, as a browser without JavaScript would: reads pages, fills in forms."""

import time
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup
from bs4.element import Tag

PAUSE = 0.2  # seconds between two looks at a page that changes


class Refused(Exception):
    """The site answered with an error page or showed a form's errors."""


class Visitor:
    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()
        self.page = BeautifulSoup("", "html.parser")
        self.address = site

    def open(self, path: str) -> BeautifulSoup:
        """GET a page and make it the current one."""
        return self._arrive(self.session.get(urljoin(self.address, path), timeout=60))

    def send(self, form: Tag, files: dict | None = None, button: str | None = None, **fields: object) -> BeautifulSoup:
        """Submit a form of the current page with `fields` in place of what stands in it."""
        data = {**filled_in(form), **{name: value for name, value in fields.items() if value is not None}}
        unknown = set(fields) - {control.get("name") for control in form.select("[name]")}
        if unknown:
            raise Refused(f"{self.address}: the form has no field {', '.join(sorted(unknown))}.")
        if button is not None:
            name, _, value = button.partition("=")
            data[name] = value
        address = urljoin(self.address, str(form.get("action") or self.address))
        headers = {"Referer": self.address}
        return self._arrive(self.session.post(address, data=data, files=files, headers=headers, timeout=60))

    def form(self, *names: str, action: str = "") -> Tag:
        """The first form of the current page with all these controls, whose action contains `action`."""
        for form in self.page.select("form"):
            has = {control.get("name") for control in form.select("[name]")}
            if set(names) <= has and action in str(form.get("action") or self.address):
                return form
        raise Refused(f"{self.address}: no form with {names} and action {action!r}.\n{self.text()[:2000]}")

    def text(self) -> str:
        return " ".join(self.page.get_text(" ").split())

    def wait_until(self, path: str, selector: str, seconds: float) -> Tag:
        """Look at a page until something on it matches the CSS selector."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.open(path).select_one(selector)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise Refused(f"{self.address}: nothing matched {selector} in {seconds:.0f} s.\n{self.text()[:2000]}")
            time.sleep(PAUSE)

    def _arrive(self, answer: requests.Response) -> BeautifulSoup:
        self.address = answer.url
        self.page = BeautifulSoup(answer.text, "html.parser")
        if answer.status_code >= 400:
            raise Refused(f"{answer.request.method} {answer.url}: {answer.status_code}\n{self.text()[:2000]}")
        return self.page


def filled_in(form: Tag) -> dict[str, object]:
    """What a browser would send if nothing was touched."""
    data: dict[str, object] = {}
    for control in form.select("input[name], textarea[name], select[name]"):
        name, kind = str(control["name"]), control.get("type", "text")
        if control.name == "textarea":
            data[name] = control.get_text().lstrip("\n")
        elif control.name == "select":
            chosen = control.select("option[selected]") or control.select("option")[:1]
            data[name] = [option.get("value", option.get_text()) for option in chosen]
        elif kind in ("checkbox", "radio"):
            if control.has_attr("checked"):
                values = data.setdefault(name, [])
                assert isinstance(values, list)
                values.append(control.get("value", "on"))
        elif kind not in ("submit", "button", "file", "image", "reset"):
            data[name] = control.get("value", "")
    return data
