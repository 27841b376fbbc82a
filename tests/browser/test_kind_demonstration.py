"""Demonstrations in a real browser: by keyboard alone, by touch, without JavaScript, restored after a reload."""

import pytest
from playwright.sync_api import expect

from annotate.models import Demonstration, Draft, Judgement, Kind, Lease, Project
from tests.browser.judging_pages import (
    HOLD,
    open_judging,
    phone,
    press_and_wait_for_next,
    stop_handing_back,
    submit,
    wait_for_next,
)
from tests.writing_factories import make_text_task

SUGGESTIONS = ["Boil it for **ten** minutes.", "Ask your mother."]


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def show_first_as_a():
    Lease.objects.update(order=[0, 1])


def test_a_response_is_written_by_keyboard_alone_with_two_keys_beside_the_text(page, judging, project):
    make_text_task(project, Kind.DEMONSTRATION)
    complaints = judging()
    page.keyboard.press("w")
    page.keyboard.type("Seven minutes, w p o 1.")
    expect(page.locator("#text-count")).to_have_text("6 words, 23 characters")
    press_and_wait_for_next(page, "Control+Enter")
    assert Demonstration.objects.get().response.text == "Seven minutes, w p o 1."
    assert complaints == []


def test_a_suggestion_stays_hidden_until_asked_for_and_is_copied_and_recorded(page, judging, project):
    task = make_text_task(project, Kind.DEMONSTRATION, *SUGGESTIONS)
    judging()
    show_first_as_a()
    page.reload()
    page.wait_for_selector("#open-keys:not([hidden])")
    expect(page.get_by_text("Ask your mother.")).to_be_hidden()
    page.keyboard.press("o")
    expect(page.get_by_text("Ask your mother.")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator("#text")).to_have_value(SUGGESTIONS[0])
    page.keyboard.press("Control+End")
    page.keyboard.type(" Then peel it.")
    press_and_wait_for_next(page, "Control+Enter")
    demonstration = Demonstration.objects.get()
    assert demonstration.response.text == "Boil it for **ten** minutes. Then peel it."
    assert demonstration.suggestion == task.places.get(position=0).response
    assert demonstration.distance == 3 / 8


def test_what_a_suggestion_replaced_can_be_put_back(page, judging, project):
    make_text_task(project, Kind.DEMONSTRATION, *SUGGESTIONS)
    judging()
    page.keyboard.press("w")
    page.keyboard.type("My own words")
    for key in ("Escape", "o", "2"):
        page.keyboard.press(key)
    expect(page.locator("#text")).not_to_have_value("My own words")
    page.get_by_role("button", name="Put back what I had written").click()
    expect(page.locator("#text")).to_have_value("My own words")
    assert page.locator("[name=suggestion]:checked").get_attribute("value") == ""


def test_the_preview_follows_what_is_typed(page, judging, project):
    make_text_task(project, Kind.DEMONSTRATION)
    complaints = judging()
    page.keyboard.press("p")
    page.keyboard.press("w")
    page.keyboard.type("**Seven** <img src=x onerror=alert(1)>")
    expect(page.locator("#preview strong")).to_have_text("Seven")
    expect(page.locator("#preview")).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("#preview")).to_be_hidden()
    assert complaints == []


def test_a_preview_that_comes_after_a_newer_one_is_not_shown(page, judging, project):
    make_text_task(project, Kind.DEMONSTRATION)
    judging()
    page.evaluate(HOLD, "/preview/")
    page.keyboard.press("p")
    page.locator("#text").fill("**Newer**")
    page.wait_for_function("() => held.length === 2")
    page.evaluate("held.pop()()")
    expect(page.locator("#preview strong")).to_have_text("Newer")
    page.evaluate("held.pop()().then(() => new Promise(requestAnimationFrame))")
    expect(page.locator("#preview strong")).to_have_text("Newer")


def test_too_few_words_come_back_with_the_text_and_a_reload_keeps_it(page, judging, project):
    Project.objects.update(kind_options={"demonstration": {"least_words": 4}})
    make_text_task(project, Kind.DEMONSTRATION)
    judging()
    page.keyboard.press("w")
    page.keyboard.type("Seven minutes.")
    expect(page.locator("#text-count")).to_have_text("2 of 4 words, 14 characters")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("This has 2 of the 4 words that this project asks for. Write more.")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Control+End")
    page.keyboard.type("\nNo more.")
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert Draft.objects.get().data["text"] == "Seven minutes.\nNo more."
    page.reload()
    expect(page.locator("#text")).to_have_value("Seven minutes.\nNo more.")
    assert not Judgement.objects.exists()


def test_on_a_phone_a_suggestion_is_taken_and_changed_by_touch(browser, live_server, project, carol):
    make_text_task(project, Kind.DEMONSTRATION, *SUGGESTIONS)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_text("Start from a suggestion").tap()
    page.locator(".suggestion", has_text="Suggestion A").tap()
    expect(page.locator("#text")).not_to_have_value("")
    taken = page.input_value("#text")
    page.keyboard.type("Hello. ")
    before = page.get_attribute("#judging", "data-lease")
    page.get_by_role("button", name="Submit").tap()
    wait_for_next(page, before)
    demonstration = Demonstration.objects.get()
    assert (demonstration.response.text, demonstration.suggestion.text) == (f"Hello. {taken}", taken)
    context.close()


def test_without_javascript_the_same_form_is_sent(browser, live_server, project, carol):
    make_text_task(project, Kind.DEMONSTRATION, *SUGGESTIONS)
    context = phone(browser, live_server, carol, javascript=False)
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/judge/")
    page.get_by_text("Start from a suggestion").click()
    page.get_by_role("radio", name="Suggestion B").check()
    page.get_by_role("textbox", name="Your response").fill("Seven minutes.\nNo more.")
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    demonstration = Demonstration.objects.get()
    order = Lease.objects.get().order
    assert (demonstration.response.text, demonstration.suggestion.text) == (
        "Seven minutes.\nNo more.",
        SUGGESTIONS[order[1]],
    )
    context.close()
