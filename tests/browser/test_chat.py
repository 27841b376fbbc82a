"""The live chat in a real browser with a real worker: two streams, keys, touch, reload, a worker that is killed."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from annotate.models import ChatOption, ChatTurn, Comparison, Judgement
from annotate.services import chat_writing
from annotate.services.answers.answer import Answer
from annotate.services.answers.comparison import ComparisonAnswer
from annotate.services.chat_choices import choose_answer
from tests.browser.judging_pages import submit
from tests.browser.test_axe import violations
from tests.browser.test_judging import by_side
from tests.factories import make_chat_turn
from tests.sessions import carry_session
from tests.training.factories import make_policy
from tests.training.waiting import wait_until

ENDLESS = 7_000  # tokens of the tiny model: it writes longer than any browser is late
MOST_LETTERS = "Math.max(...[...document.querySelectorAll('.pane-text')].map((pane) => pane.textContent.length))"


@pytest.fixture
def chat(page, project, carol, browser_sign_in):
    """`chat(max_tokens=20)` switches live chat on, with a tiny model, and opens the page as Carol. Returns what the
    console has against us."""
    complaints = []
    page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_sign_in(carol)

    def open_page(**options: object) -> list[str]:
        make_policy(project, ends=False)
        project.kind_options = {"chat": options}
        project.save()
        page.goto(f"/projects/{project.pk}/chat/")
        page.wait_for_selector("#open-keys:not([hidden])")
        return complaints

    return open_page


def texts(page) -> list[str]:
    return page.locator(".pane-text").all_inner_texts()


def ask_until_they_differ(page, asked: int = 2) -> None:
    """A tiny model may say the same twice; then there is nothing to compare, and it is asked anew."""
    for times in range(asked, asked + 10):
        expect(page.locator(".pane[data-final]")).to_have_count(2, timeout=60_000)
        texts = page.locator(".pane-text").all_inner_texts()
        if all(texts) and len(set(texts)) == 2:
            return
        page.keyboard.press("n")
        expect(page.get_by_text(f"asked {times + 1} times")).to_be_visible()


def wait_for_streams(page, letters: int = 1) -> None:
    """Both answers have this many letters on the page."""
    page.wait_for_function(
        "n => [...document.querySelectorAll('.pane-text')].filter((p) => p.textContent.length >= n).length === 2",
        arg=letters,
        timeout=60_000,
    )


def test_a_conversation_by_keyboard_alone(page, chat, celery_worker):
    complaints = chat(max_tokens=20)
    with celery_worker("chat"):
        page.keyboard.type("How long do I boil an egg?")
        page.keyboard.press("Control+Enter")
        ask_until_they_differ(page, asked=1)
        page.keyboard.press("2")
        expect(page.locator("#message-text")).to_be_focused()
        page.keyboard.type("And a goose egg, 1 2 3?")
        page.keyboard.press("Control+Enter")
        wait_for_streams(page)
        page.keyboard.press("n")
        expect(page.get_by_text("asked 2 times")).to_be_visible()
        ask_until_they_differ(page)
        page.keyboard.press("0")
        expect(page.get_by_text("drawn by lot")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("w")
        expect(page.locator("#message-text")).to_be_focused()
    assert [by_side(row) for row in Comparison.objects.order_by("pk")] == [-3, 0]
    assert ChatTurn.objects.filter(is_current=True).count() == 2
    assert complaints == []


def test_choosing_while_both_still_write_stops_them_within_a_second(page, chat, celery_worker):
    complaints = chat(max_tokens=ENDLESS)
    with celery_worker("chat"):
        page.keyboard.type("Tell me everything")
        page.keyboard.press("Control+Enter")
        wait_for_streams(page, 5)
        page.keyboard.press("8")
        expect(page.locator("#message-text")).to_be_focused()
    assert set(ChatOption.objects.values_list("status", flat=True)) == {"stopped"}
    row = Comparison.objects.select_related("second").get()
    assert page.locator(".chat-theirs .prose").inner_text().strip() == re.sub(r"\s+", " ", row.second.text).strip()
    assert by_side(row) == 4
    assert complaints == []


def test_a_reload_in_the_middle_shows_everything_as_it_was(page, chat, celery_worker):
    chat(max_tokens=ENDLESS)
    page.locator("#message-text").fill("Not sent yet")
    page.reload()
    expect(page.locator("#message-text")).to_have_value("Not sent yet")
    with celery_worker("chat"):
        page.keyboard.press("Control+Enter")
        wait_for_streams(page, 5)
        page.keyboard.press("r")
        page.keyboard.type("Because it is")
        before = texts(page)
        page.reload()
        after = texts(page)
        assert all(longer.startswith(text) for longer, text in zip(after, before, strict=True))
        expect(page.locator("#rationale")).to_have_value("Because it is")
        wait_for_streams(page, 1 + page.evaluate(MOST_LETTERS))
    page.locator("#message-text").wait_for(state="detached")
    assert Judgement.objects.count() == 0


def test_a_worker_killed_in_the_middle_ends_in_a_retry_and_nothing_is_lost(page, chat, celery_worker):
    chat(max_tokens=ENDLESS)
    with celery_worker("chat") as workers:
        page.keyboard.type("Tell me everything")
        page.keyboard.press("Control+Enter")
        wait_for_streams(page, 5)
        workers["chat"].kill()
    for letter in "ab":
        expect(page.locator(f".pane-{letter} .chat-words")).to_contain_text("Stopped early", timeout=60_000)
    kept = texts(page)
    assert all(len(text) >= 5 for text in kept)
    ChatOption.objects.update(sampling={"max_tokens": 20})
    with celery_worker("chat"):
        page.get_by_role("button", name="Try A again").click()
        expect(page.locator('.pane-a[data-attempt="2"][data-final]')).to_be_visible(timeout=60_000)
    assert texts(page)[1] == kept[1]
    page.locator("#prompt-title").focus()
    page.keyboard.press("1")
    expect(page.locator("#message-text")).to_be_focused()
    assert by_side(Comparison.objects.get()) == -4
    assert set(ChatOption.objects.order_by("position").values_list("status", "attempt")) == {
        ("done", 2),
        ("stopped", 1),
    }


def test_on_a_phone_by_touch(browser, live_server, project, carol, celery_worker):
    context = browser.new_context(
        base_url=str(live_server), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    carry_session(context, live_server, carol)
    make_policy(project, ends=False)
    project.kind_options = {"chat": {"max_tokens": 20}}
    project.save()
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/chat/")
    with celery_worker("chat"):
        page.locator("#message-text").fill("How long do I boil an egg?")
        page.get_by_role("button", name="Send").tap()
        expect(page.locator(".pane[data-final]")).to_have_count(2, timeout=60_000)
        page.locator(".point").nth(6).tap()
        page.get_by_role("button", name="Choose").tap()
        expect(page.locator(".chat-theirs")).to_be_visible()
    assert by_side(Comparison.objects.get()) == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_without_javascript_a_turn_takes_two_posts(browser, live_server, project, carol, celery_worker):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    carry_session(context, live_server, carol)
    make_policy(project, ends=False)
    project.kind_options = {"chat": {"max_tokens": 20}}
    project.save()
    page = context.new_page()
    page.goto(f"/projects/{project.pk}/chat/")
    with celery_worker("chat"):
        page.locator("#message-text").fill("How long do I boil an egg?")
        submit(page, page.get_by_role("button", name="Send"))
        wait_until(lambda: ChatOption.objects.filter(status="done").count() == 2)
    submit(page, page.get_by_role("link", name="Look again"))
    assert all(texts(page))
    page.locator('input[name=choice][value="-1"]').check(force=True)
    submit(page, page.get_by_role("button", name="Choose"))
    expect(page.get_by_text("A barely better.")).to_be_visible()
    assert by_side(Comparison.objects.get()) == -1
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing_while_answers_come_after_a_choice_and_on_the_past(
    page, project, carol, browser_sign_in, scheme
):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    browser_sign_in(carol)
    found = {}

    def look(name: str, address: str = "chat/") -> None:
        page.goto(f"/projects/{project.pk}/{address}")
        found[name] = violations(page)

    look("switched off")
    turn = make_chat_turn(project, carol)
    first, second = chat_writing.claim_options(most=2)
    chat_writing.keep_text(first, "Seven min")
    chat_writing.fail_option(second, text="", error="")
    look("answers")
    choose_answer(turn=turn, submission_id=uuid.uuid4(), answer=Answer(said=ComparisonAnswer(-2, 8)), seen={})
    look("after a choice")
    page.locator("#edit-last summary").click()
    found["editing"] = violations(page)
    look("past", "chat/past/")
    look("read again", f"chat/past/{turn.chat_id}/")
    assert {name: problems for name, problems in found.items() if problems} == {}
