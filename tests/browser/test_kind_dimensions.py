"""Comparisons on several dimensions in a real browser: by keyboard alone, on a phone by touch, without JavaScript."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from annotate.models import Comparison, Project
from tests.browser.judging_pages import open_judging, phone, press_and_wait_for_next, stop_handing_back, submit
from tests.factories import make_task

DIMENSIONS = ["helpful", "honest", "harmless"]


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    Project.objects.update(dimensions=DIMENSIONS)
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def said():
    """(overall, dimensions) by side as it was shown: negative prefers A."""
    comparison = Comparison.objects.get(judgement__is_current=True)
    side = 1 if comparison.first_on_left else -1
    overall = None if comparison.preference is None else side * comparison.preference
    return overall, [side * comparison.dimensions[name] for name in DIMENSIONS]


@pytest.mark.parametrize(
    ("points", "keys", "answer"),
    [
        (2, ["1", "2", "0", "2"], (1, [-1, 1, 0])),
        (4, ["1", "2", "3", "4"], (2, [-2, -1, 1])),
        (5, ["1", "3", "5", "2"], (-1, [-2, 0, 2])),
        (7, ["1", "4", "7", "6"], (2, [-3, 0, 3])),
        (8, ["1", "8", "0", "9"], (None, [-4, 4, 0])),
    ],
)
def test_each_digit_answers_a_row_and_the_last_sends(page, judging, project, points, keys, answer):
    Project.objects.update(scale_points=points)
    make_task(project)
    complaints = judging()
    press_and_wait_for_next(page, *keys)
    assert said() == answer
    assert Comparison.objects.get().points == points
    assert complaints == []


def test_a_row_is_marked_and_can_be_gone_back_to(page, judging, project):
    make_task(project)
    judging()
    marked = page.locator(".strip-row.is-current")
    expect(marked).to_have_attribute("data-question", "dimension-helpful")
    page.keyboard.press("9")  # both bad is said of the whole, not of a dimension
    page.keyboard.press("8")
    expect(marked).to_have_attribute("data-question", "dimension-honest")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("1")
    expect(marked).to_have_attribute("data-question", "dimension-honest")
    press_and_wait_for_next(page, "2", "3", "4")
    assert said() == (-1, [-4, -3, -2])


@pytest.mark.parametrize("points", [2, 4, 5, 7, 8])
def test_on_a_phone_one_row_is_in_reach_at_a_time_and_the_steps_lead_back(browser, live_server, project, carol, points):
    Project.objects.update(dimensions=DIMENSIONS, scale_points=points)
    make_task(project)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    visible = page.locator(".strip-row:visible")
    expect(visible).to_have_count(1)
    boxes = [box.bounding_box() for box in visible.locator(".point, .strip-step").all()]
    assert len(boxes) == points + (0 if points % 2 else 1) + 4
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844 for box in boxes)
    assert visible.bounding_box()["height"] <= 844 / 3
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for question in (*[f"dimension-{name}" for name in DIMENSIONS], "choice"):
        page.locator(f".strip-row.is-current[data-question={question}] .point").first.tap()
    page.get_by_role("button", name="More honest").tap()
    page.locator(".strip-row.is-current .strip:not(.strip-extras) .point").last.tap()
    page.get_by_role("button", name="Submit").tap()
    page.wait_for_selector('[data-event="judged"]')
    strongest = {2: 1, 4: 2, 5: 2, 7: 3, 8: 4}[points]
    assert said() == (-strongest, [-strongest, strongest, -strongest])
    context.close()


def test_without_javascript_the_rows_stand_under_each_other_and_nothing_covers_them(
    browser, live_server, project, carol
):
    Project.objects.update(dimensions=DIMENSIONS)
    make_task(project)
    context = phone(browser, live_server, carol, javascript=False)
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/judge/")
    rows = [row.bounding_box() for row in page.locator(".strip-row").all()]
    assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(rows))
    for row in ["More helpful", "More honest", "More harmless"]:
        page.get_by_role("group", name=row).locator(".point").nth(1).tap()
    page.get_by_role("group", name="Overall").get_by_text("Both bad").tap()
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    assert said() == (None, [-3, -3, -3])
    context.close()
