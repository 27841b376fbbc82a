"""The judging page in a real browser: by keyboard alone, offline, after a reload, with hostile text, on a phone."""

import re

import pytest
from playwright.sync_api import expect

from annotate.models import Comparison, Judgement, Lease, Project, Task, TaskResponse
from tests.browser.judging_pages import (
    press_and_wait_for_next,
    stop_handing_back,
    submit,
    wait_until_ready,
)
from tests.factories import make_prompt, make_response, make_task
from tests.sessions import carry_session
from tests.training.waiting import wait_until

HOSTILE = """
<script>window.__pwned = 1</script> <img src=x onerror="window.__pwned = 2"> <svg onload="window.__pwned = 3"></svg>
<iframe srcdoc="<script>parent.__pwned = 4</script>"></iframe> <style>body { display: none }</style>
[press](javascript:window.__pwned=5) ![see](https://evil.example/pixel.png) [data](data:text/html,<script>1</script>)
<form action="https://evil.example"><button>Submit</button></form> <input autofocus onfocus="window.__pwned=6">
<a href="https://evil.example" onclick="window.__pwned=7">link</a> <base href="https://evil.example/">
"""


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    """Opens the judging page as Carol. Whatever the console says against us, and each request elsewhere, fails."""
    browser_sign_in(carol)
    complaints = []
    page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: "evil.example" in request.url and complaints.append(request.url))

    def open_page():
        page.goto(f"/projects/{project.pk}/judge/")
        wait_until_ready(page)
        return complaints

    yield open_page
    stop_handing_back(page)


def said():
    rows = Judgement.objects.current().order_by("task").select_related("comparison")
    return [row.comparison.preference if row.outcome == "answer" else row.skip_reason for row in rows]


def by_side(comparison):
    return comparison.preference if comparison.first_on_left else -comparison.preference


def test_tasks_are_judged_with_the_keyboard_alone_one_key_each(page, judging, project):
    for _ in range(5):
        make_task(project)
    complaints = judging()
    page.evaluate("document.getElementById('rationale').style.height = '90px'")  # as dragging its corner does
    press_and_wait_for_next(page, "1")
    press_and_wait_for_next(page, "0")
    press_and_wait_for_next(page, "9")
    press_and_wait_for_next(page, "s", "3")
    press_and_wait_for_next(page, "8")
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    assert said()[1:4] == [0, None, "The prompt makes no sense"]
    assert [
        by_side(row) for row in Comparison.objects.exclude(preference=0).exclude(preference=None).order_by("pk")
    ] == [-4, 4]
    assert page.text_content("#done-today") == "4"
    assert complaints == []


def test_undo_brings_the_task_back_filled_in_and_a_new_answer_replaces_the_old(page, judging, project):
    make_task(project), make_task(project)
    complaints = judging()
    first = page.get_attribute("#judging", "data-lease")
    press_and_wait_for_next(page, "2")
    press_and_wait_for_next(page, "u")
    assert page.get_attribute("#judging", "data-lease") == first
    assert page.locator(".point input:checked").get_attribute("value") == "-3"
    press_and_wait_for_next(page, "7")
    assert [by_side(row) for row in Comparison.objects.order_by("pk")] == [-3, 3]
    assert list(Judgement.objects.order_by("pk").values_list("outcome", "is_current")) == [
        ("answer", False),
        ("undone", False),
        ("answer", True),
    ]
    assert complaints == []


def test_keys_do_nothing_while_typing_or_reading_a_dialog(page, judging, project):
    make_task(project)
    judging()
    page.keyboard.press("r")
    page.keyboard.type("1 0 9 s u f g ? 8")
    expect(page.locator("#rationale")).to_have_value("1 0 9 s u f g ? 8")
    page.keyboard.press("Escape")
    for opener, dialog in (("g", "#guidelines-dialog"), ("?", "#keys-dialog")):
        page.keyboard.press(opener)
        expect(page.locator(dialog)).to_be_visible()
        page.keyboard.press("1")
        page.keyboard.press("Escape")
        expect(page.locator(dialog)).to_be_hidden()
    page.locator("#judge").get_by_text("Guidelines").first.click()
    expect(page.get_by_text("Prefer the more helpful answer.")).to_be_visible()
    assert not Judgement.objects.exists()


def test_flags_by_key_a_reason_by_key_and_submit_from_the_text(page, judging, project):
    Project.objects.update(rationale="required")
    make_task(project)
    judging()
    for key in ("f", "1", "b", "3", "f", "6"):
        page.keyboard.press(key)
    expect(page.locator("#rationale")).to_be_focused()
    page.keyboard.type("It is kinder.")
    press_and_wait_for_next(page, "Control+Enter")
    row = Judgement.objects.select_related("comparison").get()
    first, second = str(row.comparison.first_id), str(row.comparison.second_id)
    left, right = (first, second) if row.comparison.first_on_left else (second, first)
    assert row.flags == {left: ["fails the task"], right: ["unsafe"]}
    assert (row.rationale, by_side(row.comparison)) == ("It is kinder.", 2)
    assert row.active_seconds > 0


def test_with_submit_at_once_off_a_digit_only_chooses_and_the_choice_is_remembered(page, judging, project):
    make_task(project)
    judging()
    page.locator("#at-once").uncheck()
    page.keyboard.press("2")
    assert page.locator(".point input:checked").get_attribute("value") == "-3"
    page.keyboard.press("5")
    expect(page.locator("#state")).to_have_text("Draft saved")
    judging()
    assert not page.locator("#at-once").is_checked()
    assert page.locator(".point input:checked").get_attribute("value") == "1"
    press_and_wait_for_next(page, "Control+Enter")
    assert by_side(Comparison.objects.get()) == 1


def test_an_answer_given_offline_is_sent_once_when_the_network_is_back(page, context, judging, project):
    make_task(project)
    judging()
    context.set_offline(True)
    page.keyboard.press("1")
    expect(page.locator("#state")).to_have_text("Offline: your answer is kept here and is sent by itself")
    page.keyboard.press("8")
    lease = page.get_attribute("#judging", "data-lease")
    context.set_offline(False)
    page.wait_for_function("lease => document.getElementById('judging').dataset.lease !== lease", arg=lease)
    assert [by_side(row) for row in Comparison.objects.all()] == [-4]


def test_an_answer_whose_reply_was_lost_is_counted_once(page, judging, project):
    """The server has it, the browser does not know: the second sending finds the first."""
    make_task(project), make_task(project)
    judging()
    lost = []

    def lose_first_reply(route):
        if not lost and route.request.method == "POST" and route.request.url.endswith("/judge/"):
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/judge/$"), lose_first_reply)
    press_and_wait_for_next(page, "1")
    assert lost == [200]
    assert (Judgement.objects.count(), sorted(Lease.objects.values_list("state", flat=True))) == (1, ["done", "held"])


def test_an_answer_that_was_never_sent_is_sent_by_the_next_page(page, context, judging, project):
    make_task(project), make_task(project)
    judging()
    context.set_offline(True)
    page.keyboard.press("3")
    expect(page.locator("#state")).to_contain_text("Offline")
    page.goto("about:blank")
    context.set_offline(False)
    judging()
    page.wait_for_function("() => Object.keys(localStorage).every(key => !key.startsWith('plumbline:pending:'))")
    assert [by_side(row) for row in Comparison.objects.all()] == [-2]
    page.goto("about:blank")  # it may be loading itself again, to show the next task


def test_closing_the_page_hands_the_task_back(page, judging, project):
    make_task(project)
    judging()
    page.close()
    wait_until(lambda: Lease.objects.get().state == "returned")
    assert Task.objects.get().remaining == 1


def test_hostile_text_runs_nothing_and_reaches_nobody(page, judging, project):
    prompt = make_prompt(project, HOSTILE, system=HOSTILE)
    task = Task.objects.create(project=project, prompt=prompt, key="hostile", required_judgements=1, remaining=1)
    deep = "> " * 5_000 + "[" * 5_000 + "**_" * 2_000
    for position, text in enumerate([HOSTILE, deep + HOSTILE]):
        TaskResponse.objects.create(task=task, response=make_response(prompt, text), position=position)
    Project.objects.update(reading_warning=False)
    complaints = judging()
    assert page.evaluate("window.__pwned") is None
    for link in page.locator(".pane-text a, .judging-turns a").all():
        assert link.get_attribute("href").startswith(("http://", "https://"))
    assert page.locator(".pane-text :is(script, img, svg, iframe, style, form, input, base)").count() == 0
    press_and_wait_for_next(page, "1")
    assert page.evaluate("window.__pwned") is None
    assert complaints == []


def test_a_phone_needs_no_sideways_scrolling_and_the_strip_is_in_reach(page, judging, project):
    Project.objects.update(reading_warning=False)  # the prompt is long, and the test does not read it
    make_task(project, prompt=make_prompt(project, "word " * 400 + "x" * 400))
    page.set_viewport_size({"width": 390, "height": 844})
    judging()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = [point.bounding_box() for point in page.locator(".point").all()]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert all(box["y"] + box["height"] <= 844 and box["height"] >= 36 for box in boxes)
    page.locator(".point").first.click()
    page.wait_for_selector('[data-event="judged"]')
    assert by_side(Comparison.objects.get()) == -4


def test_the_page_does_not_move_when_the_next_task_comes_and_its_arrival_is_announced(page, judging, project):
    for number in range(3):
        make_task(project, prompt=make_prompt(project, f"Question {number}"))
    judging()
    before = page.locator(".strip").first.bounding_box()
    press_and_wait_for_next(page, "4")
    assert page.locator(".strip").first.bounding_box() == before
    expect(page.locator("#announcer")).to_have_text("Judged. Task: Question 1")
    assert page.evaluate("document.activeElement.id") == "prompt-title"


def test_the_empty_page_finds_new_tasks_by_itself(page, judging, project):
    page.clock.install()
    judging()
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    make_task(project, prompt=make_prompt(project, "Fresh"))
    page.clock.fast_forward(16_000)
    expect(page.get_by_text("Fresh", exact=True)).to_be_visible()


def test_the_heartbeat_extends_the_lease_and_brings_the_figures_and_new_guidelines(page, judging, project, alice):
    page.clock.install()
    make_task(project)
    judging()
    until = Lease.objects.get(is_ahead=False).expires_at
    make_task(project)
    project.guidelines.create(version=2, body="Prefer *kindness*.", created_by=alice)
    page.clock.fast_forward(31_000)
    expect(page.locator("#waiting")).to_have_text("1")
    expect(page.locator("#guideline-version")).to_have_text("v2 (new)")
    page.keyboard.press("g")
    expect(page.get_by_text("kindness")).to_be_visible()
    assert Lease.objects.get(is_ahead=False).expires_at > until


def test_without_javascript_judging_skipping_and_undoing_work_the_same(browser, live_server, project, carol):
    make_task(project), make_task(project)
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    carry_session(context, live_server, carol)
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/judge/")
    page.get_by_role("radio", name="A much better").check(force=True)
    page.get_by_label("Why").fill("Plain HTML.")
    submit(page, page.get_by_role("button", name="Submit"))
    page.locator("#skip summary").click()
    page.get_by_label("The prompt makes no sense").check()
    submit(page, page.get_by_role("button", name="Skip this task"))
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    submit(page, page.get_by_role("button", name="Undo"))
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    assert list(Judgement.objects.order_by("pk").values_list("outcome", flat=True)) == ["answer", "skip", "undone"]
    assert by_side(Comparison.objects.get()) == -4
    context.close()


def test_the_next_key_may_come_the_moment_the_next_task_appears(page, judging, project):
    for _ in range(8):
        make_task(project)
    complaints = judging()
    page.evaluate(
        """() => {
          window.stayed = true;
          const press = () => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
          new MutationObserver(press).observe(document.getElementById("judge"), { childList: true });
          press();
        }"""
    )
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    assert page.evaluate("window.stayed")
    assert [by_side(row) for row in Comparison.objects.all()] == [-4] * 8
    assert complaints == []
