"""What every page's frame does in a browser: the theme, the menus, copying a link, asking before removing."""

from playwright.sync_api import expect

from annotate.models import Membership
from tests.browser.judging_pages import submit


def theme(page):
    return page.evaluate("document.documentElement.dataset.theme ?? 'system'")


def test_the_theme_changes_at_once_and_stays(page, browser_sign_in, carol):
    browser_sign_in(carol)
    page.goto("/")
    page.click("summary:has-text('Carol')")
    with page.expect_response("**/theme/"):
        page.click("button:has-text('Dark')")
    assert theme(page) == "dark"
    page.goto("/account/")
    assert theme(page) == "dark"
    assert page.locator("main [data-theme-switch] [aria-pressed=true]").inner_text() == "Dark"


def test_without_javascript_the_theme_changes_too(browser, live_server, carol):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in/")
    page.click("summary:has-text('Theme')")
    submit(page, page.locator("button:has-text('Dark')"))
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.url.endswith("/sign-in/")
    context.close()


def test_a_menu_closes_on_escape_and_gives_the_focus_back(page, browser_sign_in, carol):
    browser_sign_in(carol)
    page.goto("/")
    page.click("summary:has-text('Carol')")
    page.keyboard.press("Escape")
    assert page.locator("details.menu[open]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_an_invitation_link_is_copied(page, context, browser_sign_in, alice, project):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    browser_sign_in(alice)
    page.goto(f"/projects/{project.pk}/people/")
    page.fill("[name=email]", "dora@example.org")
    submit(page, page.locator("button:has-text('Make invitation')"))
    page.click("button:has-text('Copy')")
    page.wait_for_selector("button:has-text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#fresh-link")


def test_removing_somebody_asks_first(page, browser_sign_in, alice, carol, project):
    browser_sign_in(alice)
    page.goto(f"/projects/{project.pk}/people/")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click("button[aria-label='Remove Carol']")
    assert asked == ["Remove Carol from the project? What they judged stays."]
    assert Membership.objects.filter(project=project, user=carol).exists()


def test_what_is_wrong_in_a_form_gets_the_focus(page):
    page.goto("/sign-in/")
    page.fill("[name=username]", "nobody@example.org")
    page.fill("[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
