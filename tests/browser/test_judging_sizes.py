"""The judging page where room is scarce, and where text runs from right to left."""

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Comparison, TaskResponse
from tests.browser.judging_pages import open_judging, phone, press_and_wait_for_next, stop_handing_back
from tests.factories import make_prompt, make_response, make_task

HEBREW = (
    "כמה זמן מבשלים ביצה?\n\n- שבע דקות\n- תשע דקות\n\n> במים רותחים\n\nBoil `egg.boil(7)` now.\n\n```\nboil(7)\n```"
)
ARABIC = "سبع دقائق في الماء المغلي. " * 40 + "\n\n1. ماء\n2. ملح"
LONG = (
    "word " * 300
    + "x" * 300
    + "\n\n| a | b | c | d |\n|---|---|---|---|\n"
    + f"| {'wide ' * 20} | {'y' * 90} | c | d |\n"
)
CONTROLS = ".judge-bar :is(a, button, summary, label), .flag, .point, textarea, .judging-actions :is(button, summary)"
OUT_OF_SIGHT = """(root, selector) => [...root.querySelectorAll(selector)].filter(control => {
  if (!control.checkVisibility()) return false;
  control.scrollIntoView({ block: "center" });
  const box = control.getBoundingClientRect();
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const reached = middle && (control.contains(middle) || middle.contains(control));
  return !reached || box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight;
}).map(control => control.className + " " + control.textContent.trim())"""


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    project.reading_warning = False
    project.save(update_fields=["reading_warning"])
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def make_pair(project, prompt, first, second, system=""):
    task = make_task(project, prompt=make_prompt(project, prompt, system=system))
    for place, text in zip(TaskResponse.objects.filter(task=task).order_by("position"), (first, second), strict=True):
        place.response = make_response(task.prompt, text)
        place.save()


def out_of_sight(page: Page, selector: str = CONTROLS) -> list[str]:
    """Controls that cannot be brought into the window whole, with nothing lying over them."""
    return page.locator("body").evaluate(OUT_OF_SIGHT, selector)


def test_at_twice_the_size_nothing_is_cut_off_and_every_control_is_reached(page, judging, project):
    """A window of 1440 × 900 at 200 % has 720 × 450 CSS pixels."""
    make_pair(project, LONG, LONG, LONG)
    page.set_viewport_size({"width": 720, "height": 450})
    complaints = judging()
    assert page.evaluate("document.documentElement.scrollWidth") == 720
    assert out_of_sight(page) == []
    page.keyboard.press("s")
    assert out_of_sight(page, ".skip-panel :is(label, button)") == []
    page.keyboard.press("Escape")
    page.locator("#reading summary").click()
    assert out_of_sight(page, ".reading-items button") == []
    page.keyboard.press("Escape")
    press_and_wait_for_next(page, "1")
    assert Comparison.objects.count() == 1
    assert complaints == []


def test_the_smallest_phone_shows_every_control(browser, live_server, project, carol):
    make_pair(project, LONG, LONG, LONG)
    context = phone(browser, live_server, carol)
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 640})
    open_judging(page, project)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert out_of_sight(page) == []
    page.locator("#skip summary").tap()
    assert out_of_sight(page, ".skip-panel :is(label, button)") == []
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_text_from_right_to_left_runs_so_and_the_controls_stay(page, judging, project, width):
    make_pair(project, "How long?", "Seven.", "Nine."), make_pair(project, HEBREW, ARABIC, HEBREW, system=ARABIC)
    page.set_viewport_size({"width": width, "height": 900})
    complaints = judging()
    fixed = page.locator(".strip, .judging-actions > .button-primary, .judge-tools")
    box = "controls => controls.map(control => JSON.stringify(control.getBoundingClientRect()))"
    before = fixed.evaluate_all(box)
    press_and_wait_for_next(page, "4")
    blocks = page.locator(".turn > .prose, .pane-text")
    direction = "blocks => blocks.map(block => getComputedStyle(block).direction)"
    assert blocks.evaluate_all(direction) == ["rtl"] * 4
    assert set(page.locator(".judging .prose pre").evaluate_all(direction)) == {"ltr"}
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert fixed.evaluate_all(box) == before
    beyond = "blocks => blocks.filter(block => block.scrollWidth > block.clientWidth).length"
    assert blocks.evaluate_all(beyond) == 0
    expect(page.locator(".pane-text li").first).to_be_visible()
    assert out_of_sight(page) == []
    assert complaints == []


def test_where_an_answer_ends_a_long_form_it_stands_in_the_page_and_covers_nothing(
    browser, live_server, project, alice
):
    make_pair(project, LONG, LONG, LONG)
    context = phone(browser, live_server, alice)
    page = context.new_page()
    task = project.tasks.get()
    for path in (f"tasks/{task.pk}/known/", f"review/{task.pk}/"):
        page.goto(f"/projects/{project.pk}/{path}")
        assert page.locator(".strip-row").evaluate("row => getComputedStyle(row).position") == "static"
        assert out_of_sight(page, ".point, .flag, main :is(textarea, select, .button)") == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_a_phone_without_a_keyboard_is_shown_no_button_for_keys(browser, live_server, project, carol):
    context = phone(browser, live_server, carol)
    page = context.new_page()
    open_judging(page, project)
    expect(page.locator("#open-keys")).to_be_hidden()
    expect(page.locator("#open-guidelines")).to_be_visible()
    context.close()
