"""axe-core finds nothing to object to on any page an annotator sees, light and dark. PAGES is the table to add to.

tests/vendor/axe-4.14.1.min.js is dist/axe.min.js of the npm package axe-core 4.14.1 (MPL-2.0), unchanged.
"""

import base64
import hashlib
import uuid
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page

from annotate.models import Project, User
from tests.browser.judging_pages import open_judging, stop_handing_back
from tests.factories import make_prompt, make_task

AXE = Path(__file__).parent.parent / "vendor" / "axe-4.14.1.min.js"
SHA384 = "xt1SFg49QaDwsyt0Xfs2XAyBtYPClXl3X2q5OOLeGAUmq9jZTYIMdztpF99WdhiH"
MARKDOWN = """# Eggs

Boil them, *gently*:

| size | minutes |
|-|-:|
| small | 6 |

```python
boil(7)  # minutes
```

$t = 7$"""
EVERYTHING = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# name: the address after /projects/N/, or from the root when it begins with a slash
PAGES = {
    "home": "/",
    "account": "/account/",
    "keys": "/account/keys/",
    "history": "history/",
    "guidelines": "guidelines/",
    "my work": "me/",
    "background questions": "me/background/",
    "messages": "/messages/",
}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("options => axe.run(document, options)", EVERYTHING)["violations"]
    return [f"{rule['id']} ({rule['impact']}): {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def judge_one(project: Project, user: User) -> None:
    client = Client()
    client.force_login(user)
    client.get(f"/projects/{project.pk}/judge/")
    data = {"lease": user.leases.get().pk, "submission_id": uuid.uuid4(), "choice": "1", "rationale": "Kinder."}
    client.post(f"/projects/{project.pk}/judge/", data)


@pytest.fixture(params=["light", "dark"])
def page(request, context, project, carol, browser_sign_in):
    browser_sign_in(carol)
    page = context.new_page()
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    for _ in range(3):
        make_task(project, prompt=make_prompt(project, f"{uuid.uuid4()}\n\n{MARKDOWN}"))
    return page


def test_axe_is_the_file_it_says_it_is():
    assert base64.b64encode(hashlib.sha384(AXE.read_bytes()).digest()).decode() == SHA384


def test_axe_finds_what_is_wrong(page):
    page.goto("/account/")
    page.evaluate(
        "document.querySelector('main').append(document.createElement('img'), document.createElement('input'))"
    )
    assert sorted(problem.split()[0] for problem in violations(page)) == ["image-alt", "label"]


def test_the_pages_around_judging(page, project, carol):
    judge_one(project, carol)
    project.questionnaire_items.create(question="First language?", options=["English", "Another"])
    found = {}
    for name, address in PAGES.items():
        page.goto(address if address.startswith("/") else f"/projects/{project.pk}/{address}")
        found[name] = violations(page)
    page.goto(f"/projects/{project.pk}/history/")
    with page.expect_navigation():
        page.locator("tbody a").first.click()
    found["my judgement"] = violations(page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_judging_page_and_what_opens_on_it(page, project):
    open_judging(page, project)
    found = {"task": violations(page)}
    page.wait_for_selector(".katex")
    found["mathematics"] = violations(page)
    for name, key in (("skip", "s"), ("source", "m"), ("search", "/")):
        page.keyboard.press(key)
        found[name] = violations(page)
        page.keyboard.press("Escape")
    for name, key in (("guidelines", "g"), ("keys", "?")):
        page.keyboard.press(key)
        found[name] = violations(page)
        page.keyboard.press("Escape")
    stop_handing_back(page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_guidelines_to_be_read_and_a_phone_and_nothing_waiting(page, project, carol):
    page.set_viewport_size({"width": 360, "height": 740})
    open_judging(page, project)
    found = {"phone": violations(page)}
    stop_handing_back(page)
    carol.memberships.update(guideline_read=0)
    page.goto(f"/projects/{project.pk}/judge/")
    found["read first"] = violations(page)
    project.tasks.all().delete()
    carol.memberships.update(guideline_read=1)
    page.goto(f"/projects/{project.pk}/judge/")
    found["nothing waits"] = violations(page)
    assert {name: problems for name, problems in found.items() if problems} == {}
