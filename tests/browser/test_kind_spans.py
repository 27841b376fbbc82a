"""Fine-grained feedback in a real browser: by keyboard alone with its keys counted, by mouse, touch, and plain HTML."""

import pytest
from playwright.sync_api import expect

from annotate.models import Draft, Kind, Project, SpanFeedback
from tests.browser.judging_pages import (
    open_judging,
    phone,
    press_and_wait_for_next,
    stop_handing_back,
    submit,
    wait_for_next,
)
from tests.writing_factories import make_text_task

TEXT = "Boil 🥚 it for ten minutes.\r\nThen boil it again. Enjoy!"


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def said():
    spans = SpanFeedback.objects.get().spans
    assert all(TEXT[span["start"] : span["end"]] == span["text"] for span in spans)
    return [(span["text"], span["category"], span["severity"], span["note"]) for span in spans]


def test_a_sentence_takes_four_keys_with_sending(page, judging, project):
    make_text_task(project, Kind.SPANS, TEXT)
    complaints = judging()
    press_and_wait_for_next(page, "n", "ArrowDown", "1", "Control+Enter")
    assert said() == [("Boil 🥚 it for ten minutes.", "factual error", "minor", "")]
    assert complaints == []


def test_words_are_chosen_marked_graded_noted_and_removed_by_keyboard_alone(page, judging, project):
    make_text_task(project, Kind.SPANS, TEXT)
    complaints = judging()
    for key in ("n", "ArrowRight", "Shift+ArrowRight", "2"):  # 🥚 it
        page.keyboard.press(key)
    for key in ("ArrowDown", "ArrowDown", "Home", "Shift+ArrowDown", "Shift+ArrowDown", "1", "v"):  # two sentences
        page.keyboard.press(key)
    for key in ("End", "ArrowLeft", "3", "e"):
        page.keyboard.press(key)
    page.keyboard.type("e v 1")
    page.keyboard.press("Escape")
    for key in ("[", "]", "n", "ArrowUp", "4", "Delete", "c"):
        page.keyboard.press(key)
    page.keyboard.type("Too long.")
    press_and_wait_for_next(page, "Control+Enter")
    assert said() == [
        ("Boil 🥚 it for ten minutes.\r\nThen boil it again.", "factual error", "major", ""),
        ("🥚 it", "unclear", "minor", ""),
        ("Enjoy", "irrelevant", "major", "e v 1"),
    ]
    assert SpanFeedback.objects.get().critique == "Too long."
    assert complaints == []


def test_marks_survive_a_reload_and_come_back_from_the_server(page, judging, project):
    make_text_task(project, Kind.SPANS, TEXT)
    judging()
    for key in ("n", "ArrowRight", "ArrowRight", "2", "v"):
        page.keyboard.press(key)
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert '"text":"it"' in Draft.objects.get().data["spans"]
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator("#marked-text mark")).to_have_text(["it"])
    expect(page.locator("#marks [data-part=severity]")).to_have_value("major")


def test_the_mouse_drags_over_words_and_the_list_changes_a_mark(page, judging, project):
    make_text_task(project, Kind.SPANS, TEXT)
    judging()
    box = page.evaluate(
        """() => {
          const text = document.getElementById("marked-text").firstChild, range = document.createRange();
          range.setStart(text, 15);
          range.setEnd(text, 26);
          const { left, right, top, height } = range.getBoundingClientRect();
          return { left, right, y: top + height / 2 };
        }"""
    )
    page.mouse.move(box["left"] + 1, box["y"])
    page.mouse.down()
    page.mouse.move(box["right"], box["y"], steps=4)
    page.mouse.up()
    page.get_by_role("button", name="unclear").click()
    entry = page.locator("#marks > li")
    expect(entry.locator(".mark-quote")).to_have_text("ten minutes")
    entry.get_by_label("Category").select_option("unsafe")
    entry.get_by_label("Severity").select_option("critical")
    entry.get_by_label("Note").fill("Seven.")
    before = page.get_attribute("#judging", "data-lease")
    page.get_by_role("button", name="Submit").click()
    wait_for_next(page, before)
    assert said() == [("ten minutes", "unsafe", "critical", "Seven.")]


def test_a_list_that_is_refused_comes_back_as_it_was(page, judging, project):
    make_text_task(project, Kind.SPANS, TEXT)
    judging()
    for key in ("n", "1"):
        page.keyboard.press(key)
    Project.objects.update(kind_options={"spans": {"categories": ["odd"]}})
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("the category “factual error”, which this project does not have")
    expect(page.locator("#marked-text mark")).to_have_text(["Boil"])
    page.get_by_label("Category").select_option("odd")
    press_and_wait_for_next(page, "Escape", "Control+Enter")
    assert said() == [("Boil", "odd", "minor", "")]


def test_on_a_phone_two_taps_choose_a_passage_and_a_third_marks_it(browser, live_server, project, carol):
    make_text_task(project, Kind.SPANS, TEXT)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    tap_word(page, "ten")
    expect(page.locator("#marked-text .is-chosen")).to_have_text("ten")
    tap_word(page, "minutes")
    expect(page.locator("#marked-text .is-chosen")).to_have_text("ten minutes")
    page.get_by_role("button", name="unclear").tap()
    expect(page.locator("#marks > li .mark-quote")).to_have_text("ten minutes")
    before = page.get_attribute("#judging", "data-lease")
    page.get_by_role("button", name="Submit").tap()
    wait_for_next(page, before)
    assert said() == [("ten minutes", "unclear", "minor", "")]
    context.close()


def tap_word(page, word):
    x, y = page.evaluate(
        """(word) => {
          const walker = document.createTreeWalker(document.getElementById("marked-text"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const place = walker.currentNode.data.indexOf(word);
            if (place < 0) continue;
            const range = document.createRange();
            range.setStart(walker.currentNode, place);
            range.setEnd(walker.currentNode, place + word.length);
            range.startContainer.parentElement.scrollIntoView({ block: "center" });
            const { left, top, width, height } = range.getBoundingClientRect();
            return [left + width / 2, top + height / 2];
          }
        }""",
        word,
    )
    page.touchscreen.tap(x, y)


def test_without_javascript_passages_are_quoted(browser, live_server, project, carol):
    make_text_task(project, Kind.SPANS, TEXT)
    context = phone(browser, live_server, carol, javascript=False)
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/judge/")
    page.get_by_label("Words of passage 1").fill("ten hours")
    page.get_by_label("Category of passage 1").select_option("factual error")
    page.get_by_label("Severity of passage 1").select_option("critical")
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("alert")).to_contain_text("Passage 1 “ten hours” is not in the response")
    expect(page.get_by_label("Severity of passage 1")).to_have_value("critical")
    page.get_by_label("Words of passage 1").fill("ten minutes. Then")
    submit(page, page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    assert said() == [("ten minutes.\r\nThen", "factual error", "critical", "")]
    context.close()


def test_marks_stay_in_sight_for_somebody_who_reads_other_texts_as_written(page, judging, project):
    make_text_task(project, Kind.SPANS, TEXT)
    judging()
    for key in ("m", "n", "1"):
        page.keyboard.press(key)
    expect(page.locator("#judging")).to_have_attribute("data-shows", "source")
    expect(page.locator("#marked-text mark")).to_be_visible()
    expect(page.locator("#marked-text")).to_have_text(TEXT.replace("\r\n", " "))
