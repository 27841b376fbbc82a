"""Time by day for pay: what counts, on which day, for whom, and as a file that no spreadsheet executes."""

import csv
import io
import uuid
from datetime import UTC, datetime

from django.urls import reverse

from annotate.models import Judgement
from annotate.services.time_statements import Month, harmless, list_work_days
from tests.factories import add_member, make_judgement, make_task, make_user

NOVEMBER = Month.parse("2026-11")


def at(day, hour=12):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def skipped(task, person, when, seconds):
    return Judgement.objects.create(
        project=task.project,
        task=task,
        kind=task.kind,
        annotator=person,
        outcome="skip",
        skip_reason="too long",
        submission_id=uuid.uuid4(),
        created_at=when,
        active_seconds=seconds,
    )


def test_answers_corrections_and_skips_count_their_own_time_on_the_day_they_were_sent(project, carol):
    corrected = make_task(project)
    first = make_judgement(corrected, carol, created_at=at(3), active_seconds=60.0, is_current=False)
    make_judgement(corrected, carol, created_at=at(4), active_seconds=15.5, supersedes=first)
    make_judgement(make_task(project), carol, created_at=at(4, 23), active_seconds=30.0)
    skipped(make_task(project), carol, at(4), 4.5)
    make_judgement(make_task(project), None, external_annotator="imported", created_at=at(4))
    make_judgement(make_task(project), carol, created_at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC), active_seconds=9.0)
    days = list_work_days(project=project, month=NOVEMBER, user=carol)
    assert [(day.day.day, day.answers, day.skips, day.active_seconds) for day in days] == [
        (4, 2, 1, 50.0),
        (3, 1, 0, 60.0),
    ]


def test_my_file_holds_my_days_alone_and_the_owner_s_holds_everybody_s(project, alice, carol, bob, signed_in):
    make_judgement(make_task(project), carol, created_at=at(5), active_seconds=5400.04)
    make_judgement(make_task(project), bob, created_at=at(5), active_seconds=10)
    mine = rows_of(signed_in(carol).get(reverse("my-time", args=[project.pk]), {"month": "2026-11"}))
    assert mine == [
        ["day", "person", "email", "answers", "skips", "active_seconds", "active_hours", "time_zone"],
        ["2026-11-05", "Carol", "carol@example.org", "1", "0", "5400.0", "1.50", "UTC"],
    ]
    everybody = rows_of(signed_in(alice).get(reverse("project-time-file", args=[project.pk]), {"month": "2026-11"}))
    assert [row[1] for row in everybody[1:]] == ["Bob", "Carol"]
    assert signed_in(bob).get(reverse("project-time-file", args=[project.pk])).status_code == 403


def rows_of(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_a_name_that_a_spreadsheet_would_execute_is_neutralised(project, alice, signed_in):
    person = make_user("=HYPERLINK(1)")
    add_member(project, person, "annotator")
    make_judgement(make_task(project), person, created_at=at(5), active_seconds=1)
    rows = rows_of(signed_in(alice).get(reverse("project-time-file", args=[project.pk]), {"month": "2026-11"}))
    assert rows[1][1:3] == ["'=HYPERLINK(1)", "'=hyperlink(1)@example.org"]
    assert [harmless(text) for text in ("+1", "-1", "@x", "\tx", "plain")] == ["'+1", "'-1", "'@x", "'\tx", "plain"]


def test_months_lead_to_each_other_and_a_wrong_one_is_not_found(project, carol, signed_in):
    client, url = signed_in(carol), reverse("my-statistics", args=[project.pk])
    page = client.get(url, {"month": "2026-01"}).content.decode()
    assert "January 2026" in page and "?month=2025-12" in page and "?month=2026-02" in page
    assert "Nothing was sent in this month." in page
    for wrong in ("2026-13", "yesterday", "0001-01", "9999-12"):
        assert client.get(url, {"month": wrong}).status_code == 404
