"""The fault run: a real browser against the real server while everything goes wrong. Nothing lost, nothing doubled."""

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Error, expect

from annotate.assignment import lease_next, return_expired_leases
from annotate.forms.judging import SKIP_REASONS
from annotate.models import Comparison, Draft, Judgement, Lease, Project, Task
from annotate.services.answers.answer import Answer
from annotate.services.answers.comparison import ComparisonAnswer
from annotate.services.judging import submit_judgement
from config.processes import web_command
from tests.browser import judging_pages
from tests.config.conftest import free_port, wait_for_port
from tests.factories import make_task
from tests.services import POSTGRES
from tests.sessions import carry_session
from tests.training.waiting import wait_until

UNSENT = "Object.keys(localStorage).some(key => key.startsWith('plumbline:pending:'))"
TIE = Answer(said=ComparisonAnswer(preference=0, points=8))


class Server:
    """The web server of production on the test database, to be killed and started again at the same address."""

    def __init__(self, static: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "PLUMBLINE_STATIC": static,
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": POSTGRES.url(str(connection.settings_dict["NAME"])),
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, env=self.environment, cwd=settings.BASE_DIR, check=True)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", *web_command(host="127.0.0.1", port=self.port, workers=1)]
        self.process = subprocess.Popen(
            command, env=self.environment, cwd=settings.BASE_DIR, start_new_session=True, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self.process)

    def kill(self) -> None:
        os.killpg(self.process.pid, 9)
        self.process.wait()


@pytest.fixture(scope="module")
def server(django_db_setup):
    with tempfile.TemporaryDirectory(prefix="plumbline-static-") as static:
        server = Server(static)
        yield server
        server.kill()


@pytest.fixture
def context(browser, server, transactional_db, carol):
    """Carol's browser, signed in at the real server."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    carry_session(context, server.url, carol)
    yield context
    context.close()


@pytest.fixture
def judge(context, project):
    """Opens the judging page in a tab of its own."""

    def open_tab():
        tab = context.new_page()
        judging_pages.open_judging(tab, project)
        return tab

    return open_tab


def lease_of(tab):
    return tab.get_attribute("#judging", "data-lease")


def wait_for_next(tab, before):
    judging_pages.wait_for_next(tab, before)
    wait_until_all_is_sent(tab)


def wait_until_all_is_sent(tab):
    tab.wait_for_function(f"() => !{UNSENT}")


def type_reason(tab, text):
    tab.locator("#rationale").focus()
    tab.keyboard.type(text)


def standing():
    """Everything that counts, in the order of the tasks: the sides' preference and the reason."""
    rows = Comparison.objects.filter(judgement__in=Judgement.objects.answers()).order_by("judgement__task")
    rows = rows.select_related("judgement")
    return [(row.preference if row.first_on_left else -row.preference, row.judgement.rationale) for row in rows]


def crash(tab):
    """Kill the tab's process: its page does not get to say goodbye."""
    with tab.expect_event("crash"), suppress(Error):
        tab.goto("chrome://crash")


def test_a_killed_tab_loses_no_text(judge, project):
    make_task(project)
    tab = judge()
    type_reason(tab, "Half a thought")
    expect(tab.locator("#state")).to_have_text("Draft saved")
    tab.keyboard.type(", and more in the very moment of the crash")
    crash(tab)
    again = judge()
    expect(again.locator("#rationale")).to_have_value("Half a thought, and more in the very moment of the crash")
    before = lease_of(again)
    again.keyboard.press("Escape")
    again.keyboard.press("2")
    wait_for_next(again, before)
    assert standing() == [(-3, "Half a thought, and more in the very moment of the crash")]


def test_two_minutes_offline_lose_nothing(judge, context, project):
    make_task(project), make_task(project)
    tab = context.new_page()
    tab.clock.install()
    judging_pages.open_judging(tab, project)
    context.set_offline(True)
    type_reason(tab, "Written in a tunnel")
    tab.keyboard.press("Escape")
    tab.keyboard.press("1")
    expect(tab.locator("#state")).to_contain_text("Offline")
    for _ in range(12):
        tab.clock.fast_forward(10_000)
    assert standing() == []
    context.set_offline(False)
    wait_until(lambda: tab.clock.fast_forward(10_000) or not tab.evaluate(UNSENT))
    assert standing() == [(-4, "Written in a tunnel")]


def test_a_server_killed_under_an_answer_gets_it_once_when_it_is_back(judge, server, project):
    make_task(project), make_task(project)
    tab = judge()
    type_reason(tab, "Before the fall")
    tab.keyboard.press("Escape")
    before = lease_of(tab)
    server.kill()
    try:
        tab.keyboard.press("8")
        expect(tab.locator("#state")).to_contain_text("Offline")
    finally:
        server.start()
    wait_for_next(tab, before)
    assert standing() == [(4, "Before the fall")]
    assert Judgement.objects.count() == 1


def test_a_double_click_is_one_judgement(judge, project):
    for _ in range(3):
        make_task(project)
    tab = judge()
    expect(tab.locator("#judge")).to_have_attribute("data-next", "ready")  # it comes under the pointer at once
    before = lease_of(tab)
    tab.locator(".point").first.dblclick()
    wait_for_next(tab, before)
    assert [row.task_id for row in Judgement.objects.all()] == [Task.objects.order_by("pk").first().pk]


def test_a_storm_of_retries_is_one_judgement(judge, project):
    make_task(project), make_task(project)
    tab = judge()
    statuses = tab.evaluate(
        """async () => {
            const form = document.getElementById('answer');
            form.elements.rationale.value = 'Said thirty times';
            document.querySelector('input[name=choice][value="-2"]').checked = true;
            const headers = {'HX-Request': 'true'};
            const send = () => fetch(form.action, {method: 'POST', body: new FormData(form), headers});
            const answers = await Promise.all(Array.from({length: 30}, send));
            return [...new Set(answers.map((answer) => answer.status))];
        }"""
    )
    assert statuses == [200]
    assert standing() == [(-2, "Said thirty times")]
    assert Judgement.objects.count() == 1


def test_two_tabs_of_one_person_fill_one_place_each_task(judge, project):
    make_task(project), make_task(project)
    one, two = judge(), judge()
    assert lease_of(one) == lease_of(two)
    before = lease_of(one)
    type_reason(one, "From the first tab")
    one.keyboard.press("Escape")
    one.keyboard.press("1")
    wait_for_next(one, before)
    type_reason(two, "From the second tab")
    two.keyboard.press("Escape")
    two.keyboard.press("8")
    wait_for_next(two, before)
    assert standing() == [(4, "From the second tab")]
    assert list(Judgement.objects.order_by("pk").values_list("rationale", "is_current")) == [
        ("From the first tab", False),
        ("From the second tab", True),
    ]
    assert sum(Task.objects.values_list("remaining", flat=True)) + Lease.objects.filter(state="held").count() == 1


def test_a_lease_that_expires_while_somebody_types_loses_no_word(judge, context, project, bob):
    judging_pages.stop_clock(context)  # no heartbeat, however long this takes
    task = make_task(project)
    tab = judge()
    type_reason(tab, "Slow and careful")
    tab.clock.fast_forward(700)
    expect(tab.locator("#state")).to_have_text("Draft saved")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert return_expired_leases() == 1
    quick = lease_next(user=bob, project=project)
    submit_judgement(lease=quick, submission_id="9c1b7d8e-0000-4000-8000-000000000001", answer=TIE)
    tab.keyboard.type(", to the end")
    tab.keyboard.press("Escape")
    before = lease_of(tab)
    tab.keyboard.press("5")
    wait_for_next(tab, before)
    late = Judgement.objects.get(rationale="Slow and careful, to the end")
    assert (late.task, late.is_current, late.is_surplus) == (task, True, True)
    assert Judgement.objects.answers().filter(is_surplus=False).count() == 1


def test_a_skip_keeps_what_was_typed(judge, project):
    make_task(project), make_task(project)
    tab = judge()
    type_reason(tab, "Worth keeping")
    expect(tab.locator("#state")).to_have_text("Draft saved")
    tab.keyboard.press("Escape")
    before = lease_of(tab)
    tab.keyboard.press("s")
    tab.keyboard.press("1")
    wait_for_next(tab, before)
    assert Judgement.objects.get().skip_reason == SKIP_REASONS[0][1]
    assert Draft.objects.get().data["rationale"] == "Worth keeping"


def test_an_answer_refused_behind_the_next_task_brings_the_old_one_back_with_everything_typed(judge, project):
    """The project wants a reason from the moment after the page was opened."""
    make_task(project), make_task(project)
    tab = judge()
    Project.objects.update(rationale=Project.Rationale.REQUIRED)
    before = lease_of(tab)
    tab.locator(".flags[data-side=a] input").first.check(force=True)
    tab.keyboard.press("3")
    expect(tab.get_by_role("alert").first).to_be_visible()
    assert lease_of(tab) == before
    assert tab.locator(".point input:checked").get_attribute("value") == "-2"
    expect(tab.locator(".flags[data-side=a] input").first).to_be_checked()
    assert standing() == []
    type_reason(tab, "Because you ask")
    tab.keyboard.press("Control+Enter")
    wait_for_next(tab, before)
    assert standing() == [(-2, "Because you ask")]


def test_two_tabs_that_hold_the_same_task_ready_neither_lose_nor_double_an_answer(judge, project):
    for _ in range(3):
        make_task(project)
    one, two = judge(), judge()
    for number, tab in enumerate([one, two, one, two, one, two], start=1):
        before = lease_of(tab)
        type_reason(tab, f"Number {number}")
        tab.keyboard.press("Escape")
        tab.keyboard.press(str(number))
        wait_for_next(tab, before)
    assert standing() == [(-3, "Number 2"), (-1, "Number 4"), (2, "Number 6")]
    assert list(Judgement.objects.order_by("pk").values_list("rationale", "is_current")) == [
        (f"Number {number}", number % 2 == 0) for number in range(1, 7)
    ]
