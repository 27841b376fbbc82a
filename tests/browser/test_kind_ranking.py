"""Ranking in a real browser: by keyboard alone with its keys counted, by touch, by drag, without JavaScript."""

import pytest
from playwright.sync_api import expect

from annotate.models import Draft, Judgement, Ranking
from tests.browser.judging_pages import (
    open_judging,
    phone,
    press_and_wait_for_next,
    stop_handing_back,
    submit,
    wait_for_next,
)
from tests.kinds_factories import letter_ids, make_ranking_task


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def order_of(task):
    """The stored ranking by letter: "D > C > A = B"."""
    letters = {pk: letter for letter, pk in letter_ids(task).items()}
    ranking = Ranking.objects.get(judgement__task=task, judgement__is_current=True)
    return " > ".join(" = ".join(sorted(letters[pk] for pk in tier)) for tier in ranking.tiers)


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["4", "3", "0"], "D > C > A = B"),
        (["2", "1", "4"], "B > A > D > C"),
        (["0"], "A = B = C = D"),
        (["1", "Shift+Digit2", "0"], "A = B > C = D"),
        (["1", "=", "2", "0"], "A = B > C = D"),
        (["3", "Shift+Digit1", "Shift+Digit2"], "A = B = C > D"),
        (["1", "2", "Backspace", "3", "4"], "A > C > D > B"),
    ],
)
def test_four_are_ranked_by_keys_alone_and_sent_with_the_last(page, judging, project, keys, order):
    task = make_ranking_task(project)
    complaints = judging()
    press_and_wait_for_next(page, *keys)
    assert order_of(task) == order
    assert complaints == []


def test_nine_with_ties_take_no_more_keys_than_there_are_responses(page, judging, project):
    """T5 allows K + 1 = 10."""
    tasks = [make_ranking_task(project, responses=9) for _ in range(3)]
    judging()
    keys = [
        ["5", "Shift+Digit1", "9", "Shift+Digit3", "Shift+Digit2", "7", "Shift+Digit4", "0"],
        ["1", *[f"Shift+Digit{digit}" for digit in range(2, 9)]],
        [str(digit) for digit in range(9, 1, -1)],
    ]
    for pressed in keys:
        press_and_wait_for_next(page, *pressed)
    assert [len(pressed) for pressed in keys] == [8, 8, 8]
    assert [order_of(task) for task in tasks] == [
        "A = E > B = C = I > D = G > F = H",
        "A = B = C = D = E = F = G = H > I",
        "I > H > G > F > E > D > C > B > A",
    ]


def test_the_order_is_announced_and_kept_as_a_draft_and_undo_brings_it_back(page, judging, project):
    task = make_ranking_task(project)
    judging()
    line = page.locator("#ranking-line")
    page.keyboard.press("4")
    page.keyboard.press("Shift+Digit3")
    expect(line).to_have_text("C = D; left: A, B".replace("C = D", "D = C"))
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert Draft.objects.get().data["rank_d"] == Draft.objects.get().data["rank_c"] == "1"
    page.reload()
    page.wait_for_selector("#open-keys:not([hidden])")
    expect(line).to_have_text("C = D; left: A, B")
    press_and_wait_for_next(page, "1")
    press_and_wait_for_next(page, "u")
    expect(line).to_have_text("C = D > A > B")
    press_and_wait_for_next(page, "=")
    assert order_of(task) == "C = D > A = B"


def test_no_key_ranks_while_typing(page, judging, project):
    make_ranking_task(project)
    judging()
    page.keyboard.press("r")
    page.keyboard.type("1 = 2 0")
    page.keyboard.press("Backspace")
    expect(page.locator("#rationale")).to_have_value("1 = 2 ")
    expect(page.locator("#ranking-line")).to_have_text("")


def drag(page, chip, target):
    start, end = (page.locator(name).bounding_box() for name in (chip, target))
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2 - 30, end["y"] + end["height"] / 2)
    end = page.locator(target).bounding_box()  # the gaps widen as the drag begins
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2)
    page.mouse.up()


def chip(letter):
    return f'.chip[data-letter="{letter}"]'


def test_chips_are_dragged_into_order_onto_each_other_and_out_again(page, judging, project):
    task = make_ranking_task(project)
    judging()
    line = page.locator("#ranking-line")
    drag(page, chip("B"), ".ranking-order")
    drag(page, chip("A"), '.gap[data-at="0"]')
    expect(line).to_have_text("A > B; left: C, D")
    drag(page, chip("D"), '.tier[data-tier="0"]')
    expect(line).to_have_text("A = D > B > C")
    drag(page, chip("A"), ".gap:last-child")
    expect(line).to_have_text("D > B > C > A")
    page.locator(chip("B")).click()
    expect(line).to_have_text("D > C > A; left: B")
    assert not Judgement.objects.exists()
    before = page.get_attribute("#judging", "data-lease")
    page.locator(chip("B")).click()
    wait_for_next(page, before)
    assert order_of(task) == "D > C > A > B"


def test_on_a_phone_nine_are_ranked_by_touch_with_the_order_in_reach(browser, live_server, project, carol):
    task = make_ranking_task(project, responses=9)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    line = page.locator("#ranking-line")
    for letter in "CAB":
        page.locator(chip(letter)).tap()
        expect(line).to_contain_text(f"{letter}; left")
    page.get_by_role("button", name="Tie the next").tap()
    page.locator(chip("D")).tap()
    expect(line).to_contain_text("C > A > B = D; left")
    page.get_by_role("button", name="Take back").tap()
    expect(line).to_contain_text("C > A > B; left")
    page.get_by_role("button", name="Tie the rest").tap()
    expect(line).to_have_text("C > A > B > D = E = F = G = H = I")
    boxes = [box.bounding_box() for box in page.locator(".chip, .ranking-tools button").all()]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844 for box in boxes)
    assert all(box["height"] >= 44 for box in boxes)
    page.get_by_role("button", name="Submit").tap()
    page.wait_for_selector('[data-event="judged"]')
    assert order_of(task) == "C > A > B > D = E = F = G = H = I"
    context.close()


def test_without_javascript_places_are_chosen_from_lists(browser, live_server, project, carol):
    task = make_ranking_task(project)
    context = phone(browser, live_server, carol, javascript=False)
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/judge/")
    for letter, place in {"A": "3", "B": "3", "D": "1"}.items():
        page.get_by_label(f"Place of {letter}").select_option(place)
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("alert")).to_have_text("Give response C a place.")
    expect(page.get_by_label("Place of D")).to_have_value("1")
    page.get_by_label("Place of C").select_option("2")
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    assert order_of(task) == "D > C > A = B"
    context.close()
