"""Reviewing by keyboard alone: decide a disagreement without seeing what was said, then look."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import add_member, make_judgement, make_task, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_disagreement_is_opened_shown_and_decided_by_keyboard_alone(page, browser_sign_in, project, bob, carol):
    dave = make_user("Dave")
    add_member(project, dave, "annotator")
    task = make_task(project, overlap=2)
    make_judgement(task, carol, -4, rationale="It is exact.")
    make_judgement(task, dave, 3)
    browser_sign_in(bob)
    page.goto(f"/projects/{project.pk}/review/")
    page.locator("tbody a").focus()
    page.keyboard.press("Enter")
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
