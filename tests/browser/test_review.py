"""Reviewing by keyboard alone: decide a disagreement without seeing what was said, then look."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from annotate import assignment
from annotate.models import Project, Task, User
from annotate.services.reviews import comment_on
from tests.browser.test_axe import violations
from tests.factories import add_member, make_judgement, make_task, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def task(project: Project, carol: User) -> Task:
    """Carol and Dave do not agree about it."""
    dave = make_user("Dave")
    add_member(project, dave, "annotator")
    task = make_task(project, overlap=2)
    for user, preference in ((carol, -4), (dave, 3)):
        assignment.lease_next(user=user, project=project)
        make_judgement(task, user, preference, rationale="It is exact." if user == carol else "")
    return task


def test_a_disagreement_is_opened_shown_and_decided_by_keyboard_alone(page, browser_sign_in, project, bob, task):
    browser_sign_in(bob)
    page.goto(f"/projects/{project.pk}/review/")
    page.locator("tbody a").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/review/{task.pk}/$"))
    page.wait_for_load_state()
    expect(page.get_by_text("It is exact.")).to_have_count(0)
    page.keyboard.press("v")
    expect(page.get_by_text("It is exact.")).to_be_visible()
    page.locator("input[name=choice][value='-4']").focus()
    page.keyboard.press("Space")
    page.locator("textarea[name=reason]").focus()
    page.keyboard.type("very exact")
    expect(page.get_by_text("It is exact.")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/review/$"))
    decision = task.judgements.get(is_adjudication=True)
    assert (decision.rationale, abs(decision.comparison.preference)) == ("very exact", 4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_review_and_of_owners(
    context, browser_sign_in, project, alice, bob, carol, task, scheme
):
    said = task.judgements.get(annotator=carol)
    comment_on(judgement=said, author=bob, body="Are you sure?", submission_id=uuid.uuid4(), asks_correction=True)
    page = context.new_page()
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    in_project = f"/projects/{project.pk}"
    pages = {
        carol: ["/messages/", f"{in_project}/history/{carol.leases.get(task=task).pk}/"],
        bob: [f"{in_project}/review/", f"{in_project}/review/{task.pk}/?answers=1"],
        alice: [
            f"{in_project}/settings/",
            f"{in_project}/settings/rating/",
            f"{in_project}/tasks/",
            f"{in_project}/tasks/new/",
        ],
    }
    for user, addresses in pages.items():
        browser_sign_in(user)
        for address in addresses:
            page.goto(address)
            assert (address, violations(page)) == (address, [])
