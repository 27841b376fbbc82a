"""How fast and how heavy the judging page is, in headless Chromium against the production server: T3, T6, T8, T17, T18.

    .venv/bin/python -m bench.judging_page            prints one JSON line; docs/performance.md lists what it printed

A database of its own, granian with two workers, hashed and compressed static files. "Painted" is the first frame after
the next task stands in the document. HTML is counted as the application sends it: the proxy compresses it further.
"""

import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.scratch import scratch_database
from tests.smoke import free_port

ROOT = Path(__file__).resolve().parent.parent
TASKS, LONG_TASKS, KEYS = 160, 12, 40
SHORT, LONG = 1_200, 20_500  # characters as written; the page shows fewer of them, since blank lines are not shown
READING = 400  # ms between an answer and the next: nobody reads faster
WORDS = ["eggs", "water", "boil", "minutes", "seven", "cold", "pan", "lid", "salt", "timer", "peel", "shell", "yolk"]
NEXT_PAINTED = """key => new Promise(resolve => {
  const start = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => resolve(performance.now() - start);
      after.port2.postMessage(0);
    });
  }).observe(document.getElementById("judge"), { childList: true });
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""
SHIFTS = """() => {
  window.shift = 0;
  const add = list => list.getEntries().forEach(entry => (window.shift += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift" });
}"""
DIFFED = """() => new Promise(resolve => {
  const start = performance.now(), area = document.getElementById("judging");
  new MutationObserver((_, observer) => {
    if (area.dataset.shows !== "words") return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  }).observe(area, { attributes: true });
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
})"""
SCROLLED = """() => new Promise(resolve => {
  const pane = document.querySelector(".pane-text"), start = performance.now(); let frames = 0;
  const step = () => {
    frames++;
    pane.scrollTop += 40;
    performance.now() - start < 2000 ? requestAnimationFrame(step) : resolve(frames / 2);
  };
  requestAnimationFrame(step);
})"""


def main() -> None:
    with scratch_database():
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright keeps a loop in this thread
        project, cookie = fill()
        with running_server() as site, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=site)
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
            print(json.dumps(measure(context, f"/projects/{project}/judge/")))


def fill() -> tuple[int, str]:
    """A project with short tasks first and long ones after them; its number and the annotator's session."""
    from django.test import Client

    from tests.factories import add_member, make_project, make_user

    project = make_project(make_user("Alice", is_staff=True), reading_warning=False, gold_rate=0)
    carol = make_user("Carol")
    add_member(project, carol, "annotator")
    for number in range(TASKS + LONG_TASKS):
        is_long = number >= TASKS
        make_pair(project, LONG if is_long else SHORT, one_in=3 if is_long else 12, priority=-1 if is_long else 0)
    client = Client()
    client.force_login(carol)
    return project.pk, client.cookies["sessionid"].value


def make_pair(project: object, characters: int, *, one_in: int, priority: int) -> None:
    """Two responses drawn from the same text, with other words in so many places of it."""
    from annotate.models import TaskResponse
    from tests.factories import make_response, make_task

    task = make_task(project, priority=priority)
    base = text(characters // 4)
    for place in TaskResponse.objects.filter(task=task):
        words = [secrets.choice(WORDS) if secrets.randbelow(one_in) == 0 else word for word in base.split(" ")]
        place.response = make_response(task.prompt, " ".join(words)[:characters])
        place.save()


def text(words: int) -> str:
    return " ".join(secrets.choice(WORDS) + (".\n\n" if n % 60 == 59 else "") for n in range(words))


@contextmanager
def running_server() -> Iterator[str]:
    from config.processes import web_command

    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", *web_command(host="127.0.0.1", port=port)], cwd=ROOT)
    site = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{site}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait(20)


def measure(context: BrowserContext, address: str) -> dict[str, object]:
    page = context.new_page()
    figures: dict[str, object] = {"load_average": os.getloadavg()[0], **weight(context, page, address)}
    page.evaluate(SHIFTS)
    figures["next_painted_ms_prefetched"] = spread(press_keys(page))
    figures["layout_shift_over_all_tasks"] = round(page.evaluate("window.shift"), 4)
    figures["undo_ms"] = spread(undo_ten(page))
    figures["draft_saved_ms"] = draft(page)
    page.route("**/judge/ahead/*", lambda route: route.abort())
    page.goto(address)
    ready(page)
    figures["next_painted_ms_without_prefetch"] = spread(press_keys(page))
    page.unroute("**/judge/ahead/*")
    return figures | long_texts(page, address)


def weight(context: BrowserContext, page: Page, address: str) -> dict[str, object]:
    sizes: dict[str, float] = {}
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(address)
    ready(page)
    page.wait_for_load_state("networkidle")
    return {"cold_requests": len(sizes), "cold_kB": round(sum(sizes.values()) / 1000, 1)}


def ready(page: Page) -> None:
    page.wait_for_selector("#open-keys:not([hidden])")
    page.wait_for_timeout(READING)


def settled(page: Page) -> None:
    page.wait_for_function(
        "() => !document.querySelector('[data-sending]') && !document.getElementById('judging').inert"
    )
    page.wait_for_timeout(READING)


def press_keys(page: Page) -> list[float]:
    taken = []
    for _ in range(KEYS):
        taken.append(page.evaluate(NEXT_PAINTED, "4"))
        settled(page)
    return taken


def undo_ten(page: Page) -> list[float]:
    taken = []
    for _ in range(10):
        taken.append(page.evaluate(NEXT_PAINTED, "u"))
        settled(page)
    return taken


def draft(page: Page) -> float:
    page.locator("#rationale").fill("Half a thought")
    started = time.perf_counter()
    page.wait_for_function("() => document.getElementById('state').textContent === 'Draft saved'", polling=10)
    return round(1000 * (time.perf_counter() - started))


def long_texts(page: Page, address: str) -> dict[str, object]:
    from annotate.models import Task

    Task.objects.filter(priority=0).update(closed_at="2026-01-01T00:00:00Z")
    page.goto(address)
    ready(page)
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    characters = page.evaluate("() => document.querySelector('.pane-text').textContent.length")
    page.keyboard.press("l")
    page.wait_for_timeout(READING)
    figures = {
        "long_characters": characters,
        "long_first_paint_ms": round(paint),
        "long_linked_fps": round(page.evaluate(SCROLLED)),
    }
    figures["long_diff_ms_first"] = round(page.evaluate(DIFFED))
    page.keyboard.press("x")
    page.wait_for_timeout(READING)
    return figures | {"long_diff_ms": round(page.evaluate(DIFFED))}


def spread(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "p50": round(statistics.median(ordered)),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))]),
        "n": len(ordered),
    }


if __name__ == "__main__":
    main()
