"""Home, creating a project, its settings, archiving, and the log."""

import pytest

from annotate.models import AuditEvent, Guideline, Membership, Project, Role
from annotate.services.audit import record_audit
from tests.factories import add_member, make_project, make_task

SETTINGS = {
    "name": "Kitchen advice",
    "description": "",
    "scale_points": "8",
    "allow_tie": "on",
    "allow_both_bad": "on",
    "rationale": "optional",
    "flag_options": "unsafe\n\n rude \nunsafe",
    "overlap": "2",
    "lease_minutes": "10",
}


def test_staff_create_a_project_and_own_it(signed_in, alice):
    data = {"name": "Garden", "description": "Plants.", "guidelines": "Be kind."}
    answer = signed_in(alice).post("/projects/new/", data)
    made = Project.objects.get(name="Garden")
    assert answer.url == f"/projects/{made.pk}/"
    assert Membership.objects.get(project=made).role == Role.OWNER
    assert Guideline.objects.get(project=made).body == "Be kind."
    assert AuditEvent.objects.get(project=made).action == "project.created"


def test_a_project_needs_a_name_and_what_was_typed_is_kept(signed_in, alice):
    answer = signed_in(alice).post("/projects/new/", {"name": " ", "guidelines": "Be very kind."})
    assert answer.status_code == 422
    assert "Be very kind." in answer.content.decode()


def test_others_do_not_create_projects(signed_in, carol):
    client = signed_in(carol)
    assert client.get("/projects/new/").status_code == client.post("/projects/new/", SETTINGS).status_code == 403


def test_home_shows_my_projects_my_role_and_what_waits(signed_in, carol, mallory, project):
    make_task(project)
    page = signed_in(carol).get("/").content.decode()
    assert "Kitchen advice" in page and "Annotator" in page and "Mallory" not in page
    assert '<strong class="num">1</strong> task waiting for you' in page


def test_home_without_a_project_says_what_comes_next(signed_in, stranger):
    assert "You are in no project yet" in signed_in(stranger).get("/").content.decode()


def test_saving_settings_notes_what_differs_alone(signed_in, alice, project):
    assert signed_in(alice).post(f"/projects/{project.pk}/settings/", SETTINGS).status_code == 302
    project.refresh_from_db()
    assert (project.overlap, project.flag_options) == (2, ["unsafe", "rude"])
    data = AuditEvent.objects.get().data
    assert set(data) == {"overlap", "flag_options"}
    assert data["overlap"] == {"before": 1, "after": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"scale_points": "6"},
        {"overlap": "0"},
        {"overlap": "51"},
        {"lease_minutes": "0"},
        {"name": ""},
        {"rationale": "no"},
        {"flag_options": "x" * 61},
        {"flag_options": "rude\0"},
        {"flag_options": "\n".join(map(str, range(21)))},
    ],
)
def test_settings_out_of_bounds_are_refused(signed_in, alice, project, change):
    answer = signed_in(alice).post(f"/projects/{project.pk}/settings/", {**SETTINGS, **change})
    assert answer.status_code == 422
    assert not AuditEvent.objects.exists()


def test_archiving_is_noted_once_and_can_be_taken_back(signed_in, alice, project):
    client, address = signed_in(alice), f"/projects/{project.pk}/archive/"
    client.post(address, {"archived": "yes"})
    client.post(address, {"archived": "yes"})
    assert Project.objects.get(pk=project.pk).archived_at is not None
    client.post(address, {"archived": "no"})
    assert Project.objects.get(pk=project.pk).archived_at is None
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "project.archived",
        "project.unarchived",
    ]


def test_the_log_is_paged_newest_first(signed_in, alice, project):
    for number in range(60):
        record_audit(actor=alice, action="test.done", project=project, target=f"thing {number:03}")
    client, address = signed_in(alice), f"/projects/{project.pk}/audit/"
    first = client.get(address).content.decode()
    assert "thing 059" in first and "thing 010" in first and "thing 009" not in first
    older = AuditEvent.objects.get(target="thing 010").pk
    second = client.get(address, {"before": older}).content.decode()
    assert "thing 009" in second and "thing 010" not in second
    assert client.get(address, {"before": "9" * 30}).status_code == 200


@pytest.mark.parametrize("page", ["settings", "audit"])
@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("carol", 403), ("mallory", 404), ("stranger", 404)])
def test_only_owners_open_settings_and_log(signed_in, request, project, page, who, status):
    assert signed_in(request.getfixturevalue(who)).get(f"/projects/{project.pk}/{page}/").status_code == status


def test_the_log_says_in_words_what_changed(signed_in, alice, project):
    client = signed_in(alice)
    client.post(f"/projects/{project.pk}/settings/", {**SETTINGS, "allow_tie": ""})
    page = " ".join(client.get(f"/projects/{project.pk}/audit/").content.decode().split())
    assert "Project settings changed" in page
    assert '<span class="muted">overlap</span> 1 → 2' in page
    assert '<span class="muted">allow tie</span> yes → no' in page
    assert "unsafe, personal data → unsafe, rude" in page


def test_home_asks_the_database_the_same_number_of_questions_however_many_projects_there_are(
    signed_in, carol, alice, django_assert_num_queries
):
    client = signed_in(carol)
    for number in range(10):
        add_member(make_project(alice, name=f"Project {number}"), carol, Role.ANNOTATOR)
    with django_assert_num_queries(5):
        assert client.get("/").status_code == 200
