"""The API of judging, used with our own client: request → answer → database."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotate.models import ApiToken, Import, Judgement, Prompt, Response, Role, Task
from annotate.services.import_runs import run_import
from plumbline_client.client import Plumbline
from plumbline_client.errors import ApiError
from tests.api import api_of, api_with, expire, make_token
from tests.factories import make_prompt, make_task


@pytest.fixture
def api(alice, project):
    """Alice's, with every scope."""
    return api_of(alice)


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as found:
        call(*arguments, **options)
    return found.value


def test_says_who_is_calling(api, alice, project):
    me = api.call("GET", "me/")
    assert me["user"] == {"id": alice.pk, "name": "Alice", "email": alice.email, "is_service": False}
    assert me["memberships"] == [{"project": project.pk, "project_name": project.name, "role": "owner"}]
    assert me["token"]["scopes"] == ["admin", "judge", "read", "train", "write"]


def test_without_a_token_or_with_a_bad_one_nobody_gets_in(client, alice, project):
    answer = client.get("/api/v1/me/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Plumbline"')
    assert answer["Content-Type"] == "application/problem+json"
    token = make_token(alice)
    for spoil in ("x" + token, token[:-1], "", "plb_"):
        assert refused(api_with(spoil).call, "GET", "me/").status == 401
    expire(ApiToken.objects.get())
    assert refused(api_with(token).call, "GET", "me/").detail.startswith("This token is unknown, expired or revoked.")


def test_a_token_is_kept_as_its_hash_and_remembers_when_it_was_used(alice):
    token = make_token(alice)
    row = ApiToken.objects.get()
    assert token not in str(ApiToken.objects.values().get())
    assert (row.prefix, row.last_used_at) == (token[:12], None)
    api_with(token).call("GET", "me/")
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_a_project_is_made_and_its_settings_changed_under_the_etag_that_was_read(api, alice):
    made = api.create_project("Second", "Prefer the truer answer.")
    address = f"projects/{made['id']}/settings/"
    read = api.ask("GET", address)
    etag = read.headers["ETag"]
    assert api.ask("GET", address, headers={"If-None-Match": etag}).status == 304
    changed = api.ask("PATCH", address, body={"overlap": 3}, headers={"If-Match": etag})
    assert changed.json()["overlap"] == 3
    stale = refused(api.call, "PATCH", address, body={"overlap": 4}, headers={"If-Match": etag})
    assert stale.status == 412
    assert api.call("GET", address)["overlap"] == 3


def test_a_page_of_a_list_is_sent_again_only_when_it_has_changed(api, project):
    known = {"If-None-Match": api.ask("GET", "projects/").headers["ETag"]}
    assert api.ask("GET", "projects/", headers=known).status == 304
    api.create_project("Second", "Prefer the truer answer.")
    assert api.ask("GET", "projects/", headers=known).status == 200


def test_what_is_wrong_with_a_body_is_named_field_by_field(api, project):
    error = refused(
        api.call, "PATCH", f"projects/{project.pk}/settings/", body={"overlap": 0, "colour": "red", "dimensions": ["a"]}
    )
    assert (error.status, error.title) == (422, "Some fields cannot be taken")
    assert error.errors["colour"].startswith("There is no field “colour”. The fields are: name, ")
    error = refused(api.call, "PATCH", f"projects/{project.pk}/settings/", body={"overlap": 0, "gold_rate": 2})
    assert set(error.errors) == {"overlap", "gold_rate"}
    error = refused(api.call, "PATCH", f"projects/{project.pk}/settings/", body={"gold_rate": 0.4, "mirror_rate": 0.4})
    assert set(error.errors) == {"mirror_rate"}


def test_prompts_and_responses_come_in_once(api, project):
    sent = [
        {"text": "How long do I boil an egg?", "external_id": "a", "tags": ["egg"], "responses": [{"text": "Seven."}]},
        {"messages": [{"role": "user", "content": "And a large one?"}]},
        {"messages": [{"role": "assistant", "content": "Hello"}]},
    ]
    first, again = api.send_prompts(project.pk, sent), api.send_prompts(project.pk, sent)
    assert [entry["is_new"] for entry in first["prompts"]] == [True, True, False]
    assert "a turn of “user” is due" in first["prompts"][2]["refused"]
    assert [entry["is_new"] for entry in again["prompts"]] == [False, False, False]
    assert (Prompt.objects.count(), Response.objects.count()) == (2, 1)
    egg = first["prompts"][0]["id"]
    draw = {"prompt": egg, "key": "draw-1", "text": "Six minutes.", "author": "gpt"}
    stored = api.send_responses(project.pk, [draw])["responses"]
    assert api.send_responses(project.pk, [draw])["responses"] == [{"id": stored[0]["id"], "is_new": False}]
    assert [prompt["response_count"] for prompt in api.prompts(project.pk, tag="egg")] == [2]
    error = refused(api.send_responses, project.pk, [{**draw, "prompt": egg + 99}])
    assert error.errors == {"responses.0.prompt": f"There is no prompt {egg + 99} in this project."}


def test_tasks_are_queued_judged_and_frozen(api, project, carol):
    prompt = make_prompt(project)
    texts = ["Seven minutes.", "It depends."]
    sent = [{"prompt": prompt.pk, "key": text, "text": text, "author": "one"} for text in texts]
    responses = [entry["id"] for entry in api.send_responses(project.pk, sent)["responses"]]
    task = {"prompt": prompt.pk, "responses": responses}
    assert [api.queue_tasks(project.pk, [task]) for _ in range(2)] == [1, 0]
    kept = refused(
        api.call, "POST", f"projects/{project.pk}/tasks/", body={"tasks": [task], "key_prefix": "evaluation-1"}
    )
    assert kept.status == 422
    hers = api_of(carol, ["judge"])
    lease = hers.next_task(project.pk)["lease"]
    assert [entry["letter"] for entry in lease["responses"]] == ["A", "B"]
    assert lease["asks"]["preferences"] == [-4, -3, -2, -1, 1, 2, 3, 4]
    assert not {"task", "author", "id"} & set(lease["responses"][0])
    judged = hers.judge(project.pk, lease["id"], {"preference": -3}, rationale="It is exact.", flags={"B": ["unsafe"]})
    assert judged["next"]["lease"] is None
    row = Judgement.objects.get()
    chosen = row.comparison.first if row.comparison.preference < 0 else row.comparison.second
    assert chosen.text == lease["responses"][0]["text"]
    assert list(row.flags.values()) == [["unsafe"]]
    assert next(api.judgements(project.pk))["answer"]["preference"] == row.comparison.preference
    filters = {"kinds": ["comparison"], "since": "2026-01-01", "annotators": [carol.pk]}
    snapshot = api.freeze(project.pk, name="first", filters=filters, test_fraction=0)
    lines = list(api.download(project.pk, snapshot["id"], "trl"))
    assert (snapshot["status"], lines[0]["chosen"].strip().endswith(chosen.text)) == ("succeeded", True)


def test_an_answer_and_the_next_task_are_one_transaction(project, carol):
    make_task(project), make_task(project)
    hers = api_of(carol)
    lease = hers.next_task(project.pk)["lease"]["id"]
    with CaptureQueriesContext(connection) as captured:
        judged = hers.judge(project.pk, lease, {"preference": -3})
    assert judged["next"]["lease"]["id"] not in (None, lease)
    assert sum(query["sql"].startswith("SAVEPOINT") for query in captured) == 1


def test_an_answer_out_of_range_is_refused_as_on_the_page_and_kept_nowhere(project, carol):
    make_task(project)
    hers = api_of(carol)
    lease = hers.next_task(project.pk)["lease"]["id"]
    assert refused(hers.judge, project.pk, lease, {"ranking": [["A"]]}).errors == {
        "answer.ranking": "This task is a comparison; its answer has preference, both_bad, dimensions."
    }
    assert set(refused(hers.judge, project.pk, lease, {}).errors) == {"answer.preference"}
    project.scale_points = 2
    project.save()
    assert (
        "not on this project's scale"
        in refused(hers.judge, project.pk, lease, {"preference": 4}).errors["answer.preference"]
    )
    assert refused(hers.judge, project.pk, lease, {"preference": 1}, flags={"C": ["unsafe"]}).errors == {
        "flags.C": "This task does not ask for it. Leave it out."
    }
    assert Judgement.objects.count() == 0


def test_a_submission_sent_twice_is_one_judgement_and_can_be_taken_back(project, carol):
    make_task(project)
    hers = api_of(carol)
    lease, submission = hers.next_task(project.pk)["lease"]["id"], str(uuid.uuid4())
    judged = [hers.judge(project.pk, lease, {"both_bad": True}, submission_id=submission) for _ in range(2)]
    assert judged[0]["judgement"] == judged[1]["judgement"]
    mine = list(hers.walk(f"projects/{project.pk}/my-judgements/"))
    assert [(row["id"], row["said"]) for row in mine] == [(judged[0]["judgement"], "Both bad")]
    assert hers.undo(project.pk, judged[0]["judgement"])
    assert hers.next_task(project.pk)["lease"]["id"] == lease
    assert hers.skip(project.pk, lease, "unclear")["next"]["lease"] is None
    assert refused(hers.skip, project.pk, lease, "other").errors == {
        "other": "Say in a few words what the other reason is."
    }


def test_a_lease_is_held_longer_and_handed_back_and_nobody_elses_is_found(project, carol, bob):
    make_task(project)
    hers = api_of(carol)
    address = f"projects/{project.pk}/leases/{hers.next_task(project.pk)['lease']['id']}/"
    assert hers.call("POST", address + "heartbeat/")["held"] is True
    assert refused(api_of(bob).call, "GET", address).status == 404
    assert hers.ask("DELETE", address).status == 204
    assert Task.objects.get().remaining == 1


def test_unread_guidelines_come_before_the_next_task(api, project, carol):
    make_task(project)
    version = api.call("POST", f"projects/{project.pk}/guidelines/", body={"body": "Prefer the truer answer."})[
        "version"
    ]
    hers = api_of(carol)
    assert hers.next_task(project.pk) == {"lease": None, "stage": None, "unread_guideline": version}
    hers.ask("POST", f"projects/{project.pk}/guidelines/{version}/read/")
    assert hers.next_task(project.pk)["lease"] is not None


def test_a_long_list_is_walked_by_cursor_without_a_row_lost_or_told_twice(api, project):
    made = [make_prompt(project).pk for _ in range(7)]
    assert [row["id"] for row in api.prompts(project.pk, limit=3)] == made[::-1]
    assert [row["id"] for row in api.prompts(project.pk, limit=2, order="oldest")] == made


def test_the_same_key_answers_again_and_does_nothing_and_another_body_is_refused(api, project):
    body, key = {"body": "Prefer the truer answer."}, {"Idempotency-Key": "k1"}
    address = f"projects/{project.pk}/guidelines/"
    first = api.ask("POST", address, body=body, headers=key)
    api.call("POST", address, body={"body": "Prefer the kinder answer."})
    again = api.ask("POST", address, body=body, headers=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert project.guidelines.count() == 3
    error = refused(api.ask, "POST", address, body={"body": "Else."}, headers=key)
    assert (error.status, set(error.errors)) == (422, {"Idempotency-Key"})
    refused(api.ask, "POST", address, body={"body": ""}, headers={"Idempotency-Key": "k2"})
    assert api.ask("POST", address, body=body, headers={"Idempotency-Key": "k2"}).status == 201


def test_a_file_is_imported_with_what_was_refused(api, project):
    text = '{"prompt": "How long?"}\n{"nothing": 1}\n'
    job = api.import_text(project.pk, text, "two.jsonl")
    assert (job["status"], job["contents"]) == ("queued", "prompts")
    run_import(Import.objects.get())
    done = api.call("GET", f"projects/{project.pk}/imports/{job['id']}/")
    assert (done["status"], done["rows_added"], done["rows_refused"]) == ("succeeded", 1, 1)
    rows = list(api.walk(f"projects/{project.pk}/imports/{job['id']}/refused/"))
    assert [(row["row"], "nothing" in row["raw"]) for row in rows] == [(2, True)]


def test_people_are_invited_changed_and_removed(api, project, carol, alice):
    made = api.call("POST", f"projects/{project.pk}/invitations/", body={"email": "dave@example.org"})
    assert "/invitations/" in made["link"]
    waiting = next(api.walk(f"projects/{project.pk}/invitations/"))
    assert api.ask("DELETE", f"projects/{project.pk}/invitations/{waiting['id']}/").status == 204
    assert list(api.walk(f"projects/{project.pk}/invitations/")) == []
    members = {row["user"]["name"]: row["id"] for row in api.walk(f"projects/{project.pk}/members/")}
    address = f"projects/{project.pk}/members/{members['Carol']}/"
    assert api.call("PATCH", address, body={"role": "reviewer"})["role"] == "reviewer"
    assert carol.memberships.get().role == Role.REVIEWER
    own = refused(api.ask, "DELETE", f"projects/{project.pk}/members/{members['Alice']}/")
    assert (own.status, "the only owner" in own.detail) == (409, True)
    assert api.ask("DELETE", address).status == 204


def test_no_text_that_the_database_cannot_hold_gets_as_far_as_it(api, project):
    for text in ("a\x00b", "\ud800"):
        error = refused(api.send_prompts, project.pk, [{"text": text}])
        assert (error.status, set(error.errors)) == (422, {"prompts.0.text"})


def test_requests_beyond_the_limit_are_told_when_to_come_back(client, alice, api, settings):
    first = api.ask("GET", "me/").headers
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("600", "599")
    settings.API_REQUESTS_PER_MINUTE = 0
    answer = client.get("/api/v1/me/", headers={"Authorization": f"Bearer {make_token(alice)}"})
    assert (answer.status_code, 1 <= int(answer["Retry-After"]) <= 60) == (429, True)


def test_the_types_of_the_client_are_those_of_the_api():
    call_command("write_client_shapes", "--check")


def test_a_file_is_uploaded_once_for_a_key(client, alice, project):
    headers = {"Authorization": f"Bearer {make_token(alice)}", "Idempotency-Key": "k1"}
    for _ in range(2):
        file = SimpleUploadedFile("prompts.csv", b"prompt\nHow long?\n")
        answer = client.post(f"/api/v1/projects/{project.pk}/imports/", {"file": file}, headers=headers)
        assert (answer.status_code, answer.json()["format"], answer.json()["status"]) == (201, "csv", "draft")
    assert Import.objects.count() == 1


def test_a_file_of_ones_own_make_is_previewed_mapped_and_confirmed(api, project, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("question,better,worse\nHow long do I boil an egg?,Seven minutes.,It depends.\n")
    columns = {"prompt": "question", "chosen": "better", "rejected": "worse"}
    job = api.import_file(project.pk, path, contents="mapped", columns=columns, tags=["egg"])
    assert (job["status"], job["options"]["columns"]) == ("queued", columns)
    run_import(Import.objects.get())
    assert (Prompt.objects.get().tags, Response.objects.count(), Judgement.objects.count()) == (["egg"], 2, 1)
    draft = api.call("POST", f"projects/{project.pk}/imports/", body={"text": path.read_text(), "filename": "a.csv"})
    own = f"projects/{project.pk}/imports/{draft['id']}/"
    api.call("PATCH", own, body={"contents": "mapped", "columns": columns})
    shown = api.call("GET", f"{own}preview/")
    assert (shown["columns"], shown["new"], shown["known"]) == (["question", "better", "worse"], 0, 1)
    assert [response["text"] for response in shown["rows"][0]["responses"]] == ["Seven minutes.", "It depends."]
    assert set(refused(api.call, "PATCH", own, body={"columns": {"colour": "x"}}).errors) == {"columns"}
    assert refused(api.call, "GET", f"projects/{project.pk}/imports/{job['id']}/preview/").status == 409


def test_a_browser_session_reads_and_needs_its_csrf_token_to_write(alice, project):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.get("/api/v1/me/").json()["token"] is None
    answer = client.post(f"/api/v1/projects/{project.pk}/next-task/")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")


def test_the_document_and_its_page_are_there_and_what_is_not_is_a_problem(client, signed_in, alice):
    assert client.get("/api/v1/schema/").json()["openapi"] == "3.1.0"
    page = signed_in(alice).get("/api/v1/docs/").content.decode()
    assert 'id="send_prompts"' in page
    assert "How long do I boil an egg?" in page
    lost = client.post("/api/v1/nothing")
    assert (lost.status_code, lost["Content-Type"]) == (404, "application/problem+json")


def test_the_client_speaks_http_to_a_running_site(live_server, alice, project):
    site = Plumbline(str(live_server), make_token(alice))
    assert site.send_prompts(project.pk, [{"text": "How long?"}])["prompts"][0]["is_new"] is True
    assert [found["name"] for found in site.projects()] == [project.name]
    assert refused(site.next_task, project.pk + 1).status == 404
