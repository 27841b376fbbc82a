"""Guidelines: read by all, written by owners, every version kept."""

import pytest

from annotate.models import Guideline


def edit(client, project, body, **more):
    return client.post(f"/projects/{project.pk}/guidelines/edit/", {"body": body, **more})


def test_a_changed_text_is_a_new_version_and_the_same_text_is_not(signed_in, alice, project):
    client = signed_in(alice)
    assert edit(client, project, "Be brief.\r\nBe kind.").status_code == 302
    edit(client, project, "Be brief.\r\nBe kind.")
    assert list(Guideline.objects.order_by("version").values_list("version", "body")) == [
        (1, "Prefer the more helpful answer."),
        (2, "Be brief.\nBe kind."),
    ]


def test_a_preview_shows_the_text_and_saves_nothing(signed_in, alice, project):
    page = edit(signed_in(alice), project, "Be **brief**. <script>x</script>", preview="1").content.decode()
    assert "<strong>brief</strong>" in page and "<script>x" not in page
    assert Guideline.objects.count() == 1


def test_an_empty_text_is_refused(signed_in, alice, project):
    assert edit(signed_in(alice), project, "  ").status_code == 422
    assert Guideline.objects.count() == 1


def test_every_member_reads_every_version(signed_in, alice, carol, project):
    edit(signed_in(alice), project, "Newest rule.")
    client = signed_in(carol)
    assert "Newest rule." in client.get(f"/projects/{project.pk}/guidelines/").content.decode()
    older = client.get(f"/projects/{project.pk}/guidelines/1/").content.decode()
    assert "Prefer the more helpful answer." in older and "This is an older version." in older
    assert client.get(f"/projects/{project.pk}/guidelines/3/").status_code == 404


@pytest.mark.parametrize(("who", "read", "write"), [("bob", 200, 403), ("carol", 200, 403), ("mallory", 404, 404)])
def test_who_reads_and_who_writes(signed_in, request, project, who, read, write):
    client = signed_in(request.getfixturevalue(who))
    assert client.get(f"/projects/{project.pk}/guidelines/").status_code == read
    assert edit(client, project, "Mine now.").status_code == write
    assert Guideline.objects.count() == Guideline.objects.filter(version=1).count()
