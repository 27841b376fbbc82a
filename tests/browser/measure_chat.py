"""How live a live chat is here: `pytest tests/browser/measure_chat.py -s`, with SmolLM2, a real worker and a browser.

Prints for each of three turns: seconds from sending to the first word of A and of B on the page, letters a second of
both together, and how long after the choice the worker published its last letter. Then the worker is killed.
"""

import re
import time

import pytest
from django.conf import settings
from playwright.sync_api import expect

from annotate.models import Author, ChatOption
from annotate.services import live_text
from tests.factories import make_author
from training.models import ModelVersion

FIRST_WORDS = """() => {
  window.firstWords = {};
  const look = () => {
    for (const pane of document.querySelectorAll(".chat-answers .pane")) {
      const seen = pane.querySelector(".pane-text").textContent.length;
      if (seen && !firstWords[pane.dataset.letter]) firstWords[pane.dataset.letter] = performance.now();
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def smollm(project, alice):
    return ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.POLICY,
        name="smollm2",
        origin=settings.DEFAULT_POLICY,
        author=make_author(project, "smollm2", Author.Kind.MODEL),
        created_by=alice,
    )


def published() -> int:
    """Letters the worker has published of the last turn's answers."""
    options = ChatOption.objects.order_by("-pk")[:2]
    return sum(len(text) for text in live_text.read([(live_text.key_of(o.pk, o.attempt), 0) for o in options]))


def seconds_until_still(began: float) -> float:
    """When, after `began`, the last letter was published; watched for three seconds."""
    count, last = published(), began
    while time.monotonic() < began + 3:
        if (now := published()) != count:
            count, last = now, time.monotonic()
        time.sleep(0.02)
    return last - began


def test_measure(page, project, carol, smollm, browser_sign_in, celery_worker):
    project.kind_options = {"chat": {"max_tokens": 400}}
    project.save()
    browser_sign_in(carol)
    with celery_worker("chat", OMP_NUM_THREADS="2") as workers:
        page.goto(f"/projects/{project.pk}/chat/")
        page.wait_for_selector("#open-keys:not([hidden])")
        for question in ("Tell me a long story about an egg.", "What happened then?", "And after that?"):
            page.keyboard.type(question)
            page.evaluate(FIRST_WORDS)
            sent = page.evaluate("performance.now()")
            page.keyboard.press("Control+Enter")
            page.wait_for_function("() => Object.keys(firstWords).length === 2", timeout=300_000)
            first = page.evaluate("firstWords")
            before, at = published(), time.monotonic()
            page.wait_for_timeout(3_000)
            speed = (published() - before) / (time.monotonic() - at)
            began = time.monotonic()
            page.keyboard.press("2")
            still = seconds_until_still(began)
            expect(page.locator("#message-text")).to_be_focused()
            a, b = ((first[letter] - sent) / 1000 for letter in "AB")
            words = f"first words A {a:.2f} s, B {b:.2f} s, apart {abs(a - b):.2f} s"
            print(f"{words}; {speed:.0f} letters/s; stop {still:.2f} s")
        page.keyboard.type("One last story, please.")
        page.keyboard.press("Control+Enter")
        for letter in "ab":
            expect(page.locator(f".pane-{letter} .pane-text")).to_have_text(re.compile("."))
        killed = time.monotonic()
        workers["chat"].kill()
    expect(page.get_by_role("button", name="Try A again")).to_be_visible(timeout=20_000)
    print(f"worker killed; retry offered after {time.monotonic() - killed:.1f} s")
