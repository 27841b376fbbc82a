"""What browser tests of the judging page share: opening it, and going on to the next task."""

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from annotate.models import Project, User
from tests.sessions import carry_session

# Requests to this address wait in `held`: `held.shift()()` lets the oldest go, and ends when the page has its answer.
HOLD = """(address) => {
  const send = window.fetch;
  window.held = [];
  window.fetch = (url, options) => url.endsWith(address)
    ? new Promise((resolve) => held.push(async () => resolve(await send(url, options))))
    : send(url, options);
}"""


def open_judging(page: Page, project: Project) -> list[str]:
    """Open the page, ready for keys; what the browser complains about is gathered in the list returned."""
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/projects/{project.pk}/judge/")
    wait_until_ready(page)
    return complaints


def reload_judging(page: Page) -> None:
    page.reload()
    wait_until_ready(page)


def wait_until_ready(page: Page) -> None:
    """Keys are heard, and the task after this one is there, or none is."""
    page.wait_for_selector("#open-keys:not([hidden])", state="attached")
    page.wait_for_selector("#judge:not([data-next=awaited])", state="attached")


def press_and_wait_for_next(page: Page, *keys: str) -> None:
    before = page.get_attribute("#judging", "data-lease")
    for key in keys:
        page.keyboard.press(key)
    wait_for_next(page, before)


def wait_for_next(page: Page, before: str | None) -> None:
    page.wait_for_function(
        "before => { const area = document.getElementById('judging');"
        " return (area.dataset.lease ?? null) !== before && !area.inert"
        " && !area.closest('[data-sending], [data-next=awaited]') }",
        arg=before,
    )


def submit(page: Page, button: Locator) -> None:
    """Press what leads to another page, and wait for that: the old one may look much like it."""
    with page.expect_navigation():
        button.click()


def stop_clock(pages: Page | BrowserContext) -> None:
    """The pages' time stands still, and passes only in the test's words."""
    pages.clock.install(time=0)
    pages.clock.pause_at(1)


def stop_handing_back(page: Page) -> None:
    """Nothing is handed back when the test closes the page."""
    if not page.is_closed():
        page.evaluate("document.getElementById('answer')?.remove()")


def phone(browser: Browser, live_server: object, user: User, *, javascript: bool = True) -> BrowserContext:
    """A 390 px phone with a touch screen, signed in."""
    context = browser.new_context(
        base_url=str(live_server),
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=javascript,
    )
    carry_session(context, live_server, user)
    return context
