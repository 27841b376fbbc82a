"""Rating in a real browser: by keyboard alone with its keys counted, by touch, without JavaScript."""

import pytest
from playwright.sync_api import expect

from annotate.kinds.options import RATING_PRESETS, Question, RatingOptions, write_options
from annotate.models import Draft, Judgement, Project, Rating
from tests.browser.judging_pages import open_judging, phone, press_and_wait_for_next, stop_handing_back, submit
from tests.kinds_factories import letter_ids, make_rating_task

SIX = tuple(Question(key=f"q{number}", label=f"Question {number}") for number in range(1, 7))


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def ask(*questions):
    Project.objects.update(kind_options={"rating": write_options(RatingOptions(questions=questions))})


def scores_of(task):
    """{letter: the value of each question in turn}, None where it was left out."""
    rating = Rating.objects.get(judgement__task=task, judgement__is_current=True)
    keys = [question["key"] for question in rating.questions]
    return {
        letter: [rating.scores[str(pk)].get(key) for key in keys] for letter, pk in sorted(letter_ids(task).items())
    }


def test_a_grid_of_six_rows_takes_six_keys_and_is_sent_with_the_last(page, judging, project):
    """T5."""
    ask(*SIX)
    task = make_rating_task(project, responses=1)
    complaints = judging()
    press_and_wait_for_next(page, "7", "6", "5", "4", "3", "1")
    assert scores_of(task) == {"A": [7, 6, 5, 4, 3, 1]}
    assert complaints == []


def test_response_by_response_with_the_marked_row_shown_and_the_arrows_going_back(page, judging, project):
    ask(*RATING_PRESETS["overall"], *RATING_PRESETS["grade"])
    task = make_rating_task(project, responses=2)
    judging()
    marked = page.locator(".rating-row.is-current")
    expect(marked).to_have_attribute("data-name", "score-a-overall")
    page.keyboard.press("9")  # a scale of seven has no nine
    page.keyboard.press("6")
    page.keyboard.press("2")
    expect(marked).to_have_attribute("data-name", "score-b-overall")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("3")
    expect(marked).to_have_attribute("data-name", "score-b-overall")
    page.keyboard.press("1")
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert Draft.objects.get().data["score-a-grade"] == "3"
    page.reload()
    page.wait_for_selector("#open-keys:not([hidden])")
    expect(marked).to_have_attribute("data-name", "score-b-grade")
    press_and_wait_for_next(page, "4")
    assert scores_of(task) == {"A": [6, 3], "B": [1, 4]}


def test_nought_clears_a_row_and_leaves_an_optional_one_out(page, judging, project):
    ask(Question(key="one", label="One"), Question(key="two", label="Two", required=False))
    task = make_rating_task(project, responses=1)
    judging()
    page.keyboard.press("5")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("0")
    assert page.locator("input:checked").count() == page.locator("#at-once:checked").count()
    page.keyboard.press("2")
    press_and_wait_for_next(page, "0")
    assert scores_of(task) == {"A": [2, None]}


def test_on_a_phone_a_grid_is_answered_by_touch_without_sideways_scrolling(browser, live_server, project, carol):
    ask(*SIX[:2], Question(key="nine", label="Of nine", points=9, low="worst", high="best"))
    task = make_rating_task(project, responses=2)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for name, value in zip(["q1", "q2", "nine"] * 2, [7, 1, 9, 2, 3, 4], strict=True):
        letter = "a" if value in (7, 1, 9) else "b"
        cell = page.locator(f'.rating-cell:has([name="score-{letter}-{name}"][value="{value}"])')
        box = cell.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 24 and box["x"] + box["width"] <= 390
        cell.tap()
        expect(cell.locator("input")).to_be_checked()
    page.get_by_role("button", name="Submit").tap()
    page.wait_for_selector('[data-event="judged"]')
    assert scores_of(task) == {"A": [7, 1, 9], "B": [2, 3, 4]}
    context.close()


def test_without_javascript_every_cell_is_a_radio(browser, live_server, project, carol):
    ask(*RATING_PRESETS["overall-and-metadata"][:2])
    task = make_rating_task(project, responses=1)
    context = phone(browser, live_server, carol, javascript=False)
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/judge/")
    page.get_by_role("group", name="Response A: Overall quality").get_by_label("6").check(force=True)
    page.get_by_role("group", name="Response A: Follows the instruction").get_by_label("Yes").check(force=True)
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    assert scores_of(task) == {"A": [6, 2]}
    assert Judgement.objects.get().kind == "rating"
    context.close()
