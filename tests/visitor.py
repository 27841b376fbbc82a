"""Somebody who uses Plumbline over HTTP alone, as a browser without JavaScript would: reads pages, fills in forms."""

import time
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup
from bs4.element import Tag

PAUSE = 0.2  # seconds between two looks at a page that changes
CONTROLS = "input[name], textarea[name], select[name], button[name]"


class Refused(Exception):
    """The site answered with an error page, or a page lacks what a person would look for."""


class Visitor:
    """One browser window: `page` is what it shows, at `address`."""

    def __init__(self, site: str) -> None:
        self.session = requests.Session()
        self.page = BeautifulSoup("", "html.parser")
        self.address = site

    def open(self, path: str) -> BeautifulSoup:
        return self._arrive(self.session.get(urljoin(self.address, path), timeout=60))

    def download(self, path: str) -> str:
        """The text of a file, without leaving the page."""
        answer = self.session.get(urljoin(self.address, path), timeout=60)
        if answer.status_code >= 400:
            raise Refused(f"GET {answer.url}: {answer.status_code}")
        return answer.text

    def send(self, form: Tag, *, files: dict | None = None, **fields: object) -> BeautifulSoup:
        """Submit a form of the page with `fields` in place of what stands in it; a button counts as a field."""
        known = {str(control["name"]) for control in self.controls(form)}
        if unknown := set(fields) - known:
            raise Refused(
                f"{self.address}: the form has no field {', '.join(sorted(unknown))}; it has {sorted(known)}."
            )
        data = {**self.filled_in(form), **{name: value for name, value in fields.items() if value is not None}}
        address = urljoin(self.address, str(form.get("action") or self.address))
        headers = {"Referer": self.address}
        return self._arrive(self.session.post(address, data=data, files=files, headers=headers, timeout=60))

    def form(self, *names: str) -> Tag:
        """The first form of the page that has all these controls."""
        for form in self.page.select("form"):
            if set(names) <= {str(control["name"]) for control in self.controls(form)}:
                return form
        raise Refused(f"{self.address}: no form with {', '.join(names)}.\n{self.text()[:2000]}")

    def controls(self, form: Tag) -> list[Tag]:
        """Those inside the form and those elsewhere that name it."""
        outside = self.page.select(f"[form='{form['id']}'][name]") if form.has_attr("id") else []
        return [control for control in form.select(CONTROLS) if not control.has_attr("form")] + outside

    def filled_in(self, form: Tag) -> dict[str, object]:
        """What a browser would send if nothing was touched."""
        data: dict[str, object] = {}
        for control in self.controls(form):
            name, kind = str(control["name"]), control.get("type", "text")
            if control.name == "textarea":
                data[name] = control.get_text().lstrip("\n")
            elif control.name == "select":
                chosen = control.select("option[selected]") or control.select("option")[:1]
                data[name] = [option.get("value", option.get_text()) for option in chosen]
            elif kind in ("checkbox", "radio"):
                if control.has_attr("checked"):
                    data[name] = [*data.get(name, []), control.get("value", "on")]
            elif control.name == "input" and kind not in ("submit", "button", "file", "image", "reset"):
                data[name] = control.get("value", "")
        return data

    def text(self) -> str:
        return " ".join(self.page.get_text(" ").split())

    def tile(self, label: str) -> int:
        """The number on the tile with this label."""
        for tile in self.page.select(".tile"):
            name, value = tile.select_one(".tile-label"), tile.select_one(".tile-value")
            if name and value and name.get_text(strip=True) == label:
                return int(value.get_text(strip=True).replace(",", ""))
        raise Refused(f"{self.address}: no tile {label!r}.\n{self.text()[:2000]}")

    def wait_until(self, path: str, selector: str, seconds: float) -> Tag:
        """Look at a page again and again until something on it matches the CSS selector."""
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
