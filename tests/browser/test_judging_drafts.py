"""What is typed and the time it took, kept while somebody judges: drafts, reloads, another tab, no network."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotate.models import Draft, Judgement, Lease
from tests.browser.judging_pages import (
    HOLD,
    open_judging,
    press_and_wait_for_next,
    stop_clock,
    stop_handing_back,
    wait_for_next,
)
from tests.factories import make_task
from tests.training.waiting import wait_until


@pytest.fixture
def judging(page, project, carol, browser_sign_in):
    browser_sign_in(carol)
    yield lambda: open_judging(page, project)
    stop_handing_back(page)


def test_a_draft_is_sent_within_a_second_and_is_there_after_a_reload(page, judging, project):
    stop_clock(page)
    make_task(project)
    judging()
    page.keyboard.press("r")
    page.keyboard.type("Half a thought")
    page.clock.fast_forward(1_000)
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert Draft.objects.get().data["rationale"] == "Half a thought"
    page.reload()
    expect(page.locator("#rationale")).to_have_value("Half a thought")


def test_a_draft_is_called_saved_when_the_newest_text_is_and_not_before(page, judging, project):
    """More is typed while a save is under way: it waits for that one's answer, which does not speak for it."""
    page.clock.install()
    make_task(project)
    judging()
    page.evaluate(HOLD, "/draft/")
    page.locator("#rationale").fill("Half a thought")
    page.clock.fast_forward(700)
    page.locator("#rationale").fill("A whole one")
    page.clock.fast_forward(700)
    assert page.evaluate("held.length") == 1
    page.evaluate("held.shift()()")
    page.clock.fast_forward(700)
    assert page.evaluate("held.length") == 1
    assert page.text_content("#state") == "Saving…"
    assert Draft.objects.get().data["rationale"] == "Half a thought"
    stop_handing_back(page)
    page.reload()
    expect(page.locator("#rationale")).to_have_value("A whole one")
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert Draft.objects.get().data["rationale"] == "A whole one"


def test_a_draft_typed_offline_is_there_after_a_reload(page, context, judging, project):
    make_task(project)
    judging()
    context.set_offline(True)
    page.locator("#rationale").fill("Typed in a tunnel")
    expect(page.locator("#state")).to_have_text("Offline: your draft is kept in this browser")
    stop_handing_back(page)  # else the page that goes may still tell the server, and nothing is left to restore
    page.goto("about:blank")
    context.set_offline(False)
    judging()
    expect(page.locator("#rationale")).to_have_value("Typed in a tunnel")
    expect(page.locator("#state")).to_have_text("Draft saved")
    assert Draft.objects.get().data["rationale"] == "Typed in a tunnel"


def test_a_draft_typed_and_skipped_offline_is_there_when_the_task_comes_back(page, context, judging, project):
    stop_clock(page)
    make_task(project), make_task(project)
    judging()
    before = page.get_attribute("#judging", "data-lease")
    context.set_offline(True)
    page.locator("#rationale").fill("Typed in a tunnel")
    for key in ("Escape", "s", "1"):
        page.keyboard.press(key)
    expect(page.locator("#state")).to_have_text("Offline: your answer is kept here and is sent by itself")
    context.set_offline(False)
    wait_for_next(page, before)
    assert (Judgement.objects.get().outcome, Draft.objects.get().data["rationale"]) == ("skip", "Typed in a tunnel")
    press_and_wait_for_next(page, "u")
    expect(page.locator("#rationale")).to_have_value("Typed in a tunnel")


def test_an_answer_sent_after_the_session_has_ended_is_sent_by_the_page_after_signing_in(
    page, context, judging, project, carol, browser_sign_in
):
    make_task(project)
    judging()
    context.clear_cookies(name="sessionid")
    page.keyboard.press("1")
    page.wait_for_url("**/sign-in/**")
    browser_sign_in(carol)
    judging()
    page.wait_for_function("() => Object.keys(localStorage).every(key => !key.startsWith('plumbline:pending:'))")
    assert Judgement.objects.get().outcome == "answer"
    page.goto("about:blank")  # it may be loading itself again, to show that nothing waits


def test_a_page_that_closes_sends_what_was_typed_last_and_the_seconds_up_to_then(page, judging, project):
    stop_clock(page)
    make_task(project)
    judging()
    page.locator("#rationale").fill("Half a thought")
    page.clock.fast_forward(1_000)
    expect(page.locator("#state")).to_have_text("Draft saved")
    page.clock.fast_forward(20_000)  # before the first heartbeat
    page.locator("#rationale").fill("A whole one")
    page.goto("about:blank")
    wait_until(lambda: Lease.objects.get().state == Lease.State.RETURNED)
    kept = Draft.objects.get().data
    assert (kept["rationale"], kept["active_seconds"]) == ("A whole one", 21)


def test_a_tab_nobody_typed_in_takes_no_draft_back_when_it_closes(page, context, judging, project):
    make_task(project)
    judging()
    other = context.new_page()
    open_judging(other, project)
    page.locator("#rationale").fill("In the first tab")
    expect(page.locator("#state")).to_have_text("Draft saved")
    other.goto("about:blank")
    wait_until(lambda: Lease.objects.get().state == Lease.State.RETURNED)
    assert Draft.objects.get().data["rationale"] == "In the first tab"


def test_the_clock_counts_the_visible_tab_and_stops_after_a_minute_without_a_sign(page, judging, project):
    stop_clock(page)
    make_task(project)
    judging()
    page.clock.fast_forward(40_000)
    page.mouse.move(10, 10)
    page.clock.fast_forward(600_000)  # away for ten minutes: the first of them counts
    page.mouse.move(20, 20)
    page.clock.fast_forward(5_000)
    Lease.objects.update(leased_at=timezone.now() - timedelta(hours=1))
    press_and_wait_for_next(page, "1")
    assert Judgement.objects.get().active_seconds == 105


def test_hidden_time_does_not_count_and_a_reload_neither_loses_nor_doubles_any(page, judging, project):
    """A scripted session: 20 s at work, five minutes behind another tab, 10 s, a reload, 15 s."""
    stop_clock(page)
    make_task(project)
    judging()
    page.clock.fast_forward(20_000)
    page.locator("#rationale").fill("So far so good")
    turn_tab(page, "hidden")
    expect(page.locator("#state")).to_have_text("Draft saved")  # at once: the clock stands still
    page.clock.fast_forward(300_000)
    turn_tab(page, "visible")
    page.clock.fast_forward(9_300)
    page.locator("#rationale").press("End")
    page.keyboard.type(".")
    page.clock.fast_forward(700)
    expect(page.locator("#state")).to_have_text("Draft saved")
    judging()
    page.clock.fast_forward(15_000)
    Lease.objects.update(leased_at=timezone.now() - timedelta(hours=1))
    press_and_wait_for_next(page, "1")
    assert Judgement.objects.get().active_seconds == 45


def turn_tab(page, state):
    page.evaluate(
        """state => {
            Object.defineProperty(document, "visibilityState", {value: state, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )
