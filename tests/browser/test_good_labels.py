"""Practice, explained answers and the quick line, by keyboard alone and by touch."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotate.models import Judgement, Membership, Project, Purpose, Response
from tests.annotate.known import make_known
from tests.browser.judging_pages import open_judging, phone, press_and_wait_for_next, stop_handing_back
from tests.browser.test_axe import violations
from tests.factories import make_task


@pytest.fixture
def at_desk(page, carol, browser_sign_in):
    browser_sign_in(carol)
    yield page
    stop_handing_back(page)


def test_practice_and_qualification_lead_to_work_by_two_keys_each(at_desk, project, alice, carol):
    make_known(project, alice, Purpose.PRACTICE, explanation="It **says** how long.")
    make_known(project, alice, Purpose.QUALIFICATION)
    make_task(project)
    Project.objects.update(qualification_pass=0)
    page = at_desk
    complaints = open_judging(page, project)
    expect(page.locator("#standing")).to_contain_text("Practice 1 of 1")
    page.keyboard.press("2")
    expect(page.locator(".agreed")).to_contain_text("It says how long.")
    page.keyboard.press("Enter")
    expect(page.locator("#standing")).to_contain_text("Qualification 1 of 1")
    press_and_wait_for_next(page, "2")
    expect(page.locator("#standing")).to_have_count(0)
    assert Membership.objects.get(user=carol).qualified_at
    assert Judgement.objects.filter(annotator=carol).count() == 2
    assert complaints == []


def test_the_answer_can_be_taken_back_from_the_step(at_desk, project, alice, carol):
    make_known(project, alice, Purpose.PRACTICE)
    page = at_desk
    open_judging(page, project)
    page.keyboard.press("2")
    expect(page.locator(".agreed")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#answer")).to_have_count(1)
    assert Judgement.objects.filter(annotator=carol, is_current=True).get().outcome == "undone"


def test_an_answer_faster_than_its_texts_is_asked_about_once(at_desk, project, carol):
    for _ in range(2):
        make_task(project)
    Response.objects.filter(places__position=0).update(text="All of this would have to be read. " * 40)
    page = at_desk
    open_judging(page, project)
    page.keyboard.press("2")
    expect(page.locator("#quick")).to_contain_text("That was quick: it takes some 24 s")
    assert not Judgement.objects.exists()
    press_and_wait_for_next(page, "Enter")
    expect(page.locator("#quick")).to_be_hidden()  # the next task's
    expect(page.locator("#done-total")).to_have_text("1")
    judgement = Judgement.objects.get()
    assert (judgement.is_quick, judgement.comparison.preference is not None) == (True, True)


def test_practice_on_a_phone_by_touch(browser, live_server, project, alice, carol):
    make_known(project, alice, Purpose.PRACTICE)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    page.locator(".point").first.tap()
    page.get_by_role("button", name="Submit").first.tap()
    expect(page.locator(".agreed")).to_contain_text("agreed answer")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_timeout(700)  # a second tap at once would be half of a double one
    page.locator("#go-on").tap()
    expect(page.locator("#nothing")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing(at_desk, project, alice, carol, browser_sign_in, scheme):
    """Practice with its quick line, the explained answer, a pause; and the reviewers' pages about quality."""
    known = make_known(project, alice, Purpose.PRACTICE, explanation="It **says** how long.\n\n- twice")
    Response.objects.update(text="All of this would have to be read. " * 40)
    page, found = at_desk, {}
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_judging(page, project)
    page.keyboard.press("2")
    expect(page.locator("#quick")).to_be_visible()
    found["practice"] = violations(page)
    page.keyboard.press("Enter")
    expect(page.locator(".agreed")).to_be_visible()
    found["explained"] = violations(page)
    Membership.objects.filter(user=carol).update(paused_at=timezone.now(), pause_reason="Let us talk.")
    open_judging(page, project)
    found["paused"] = violations(page)
    browser_sign_in(alice)
    member = Membership.objects.get(user=carol, project=project)
    for path in ("quality/", f"quality/people/{member.pk}/", "quality/known/", "quality/settings/"):
        page.goto(f"/projects/{project.pk}/{path}")
        found[path] = violations(page)
    page.goto(f"/projects/{project.pk}/tasks/{known.pk}/known/")
    found["agree"] = violations(page)
    assert {name: problems for name, problems in found.items() if problems} == {}
