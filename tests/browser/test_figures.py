"""What the overview and the snapshot form do in a browser, under the CSP."""

from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_judgement, make_task


def test_the_overview_draws_its_days_and_keeps_the_table(
    transactional_db, browser_sign_in, page, alice, project, carol
):
    make_judgement(make_task(project), carol)
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    browser_sign_in(alice)
    page.goto(reverse("project-overview", args=[project.pk]))
    expect(page.locator("#days-chart canvas")).to_be_visible()
    expect(page.locator("#days-table table")).to_be_hidden()
    page.get_by_text("As a table").click()
    expect(page.locator("#days-table tbody tr")).to_have_count(30)
    expect(page.get_by_role("link", name="New run")).to_be_visible()
    assert problems == []


def test_the_count_of_a_new_snapshot_follows_each_change(
    transactional_db, browser_sign_in, page, alice, project, carol
):
    make_judgement(make_task(project), carol, 0)
    make_judgement(make_task(project), carol, 1)
    browser_sign_in(alice)
    page.goto(reverse("snapshot-create", args=[project.pk]))
    expect(page.locator("#matching")).to_contain_text("2 judgements match.")
    page.get_by_label("Ties").focus()
    page.keyboard.press("Space")
    expect(page.locator("#matching")).to_contain_text("1 judgement matches.")
    page.get_by_role("button", name="Freeze them").click()
    expect(page.get_by_role("heading", name="Snapshot 1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="All as TRL, standard").click()
    assert download.value.suggested_filename == "kitchen-advice-snapshot-1-trl.jsonl"
