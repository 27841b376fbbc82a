"""What browser tests of the judging page share: opening it, and going on to the next task."""

from playwright.sync_api import Browser, BrowserContext, Page

from annotate.models import Project, User
from tests.sessions import carry_session


def open_judging(page: Page, project: Project) -> list[str]:
    """Open the page, ready for keys; what the browser complains about is gathered in the list returned."""
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/projects/{project.pk}/judge/")
    page.wait_for_selector("#open-keys:not([hidden])", state="attached")
    return complaints


def press_and_wait_for_next(page: Page, *keys: str) -> None:
    before = page.get_attribute("#judging", "data-lease")
    for key in keys:
        page.keyboard.press(key)
    wait_for_next(page, before)


def wait_for_next(page: Page, before: str | None) -> None:
    page.wait_for_function(
        "before => { const area = document.getElementById('judging');"
        " return (area.dataset.lease ?? null) !== before && !area.inert && !area.closest('[data-sending]') }",
        arg=before,
    )


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
    context.set_default_timeout(10_000)
    carry_session(context, live_server, user)
    return context
