"""Review: disagreements, decisions, what is sent back, and the messages between reviewers and annotators."""

import uuid

import pytest
from django.urls import reverse

from annotate import assignment
from annotate.models import AuditEvent, Comment, Judgement, Ranking, Rating, Task
from annotate.quality.disagreement import compare_comparisons, compare_rankings, compare_ratings, widest
from annotate.services import disagreements
from annotate.services.own_statistics import own_statistics
from annotate.services.reviews import count_unseen, shown_to_reviewer
from tests.factories import add_member, make_judgement, make_prompt, make_task, make_user
from tests.kinds_factories import make_ranking_task, make_rating_task, response_ids

QUESTION = {"key": "overall", "label": "Overall", "points": 7, "low": "", "high": "", "names": [], "required": True}


@pytest.fixture
def bobs(signed_in, bob):
    """Bob reviews."""
    return signed_in(bob)


@pytest.fixture
def dave(project):
    user = make_user("Dave")
    add_member(project, user, "annotator")
    return user


@pytest.fixture
def task(project):
    return make_task(project, prompt=make_prompt(project, "How long do I boil an egg?"), overlap=2)


@pytest.fixture
def split(task, carol, dave):
    """Carol and Dave have preferred different responses, through leases as they do."""
    for user in (carol, dave):
        lease = assignment.lease_next(user=user, project=task.project)
        lease.state = "done"
        lease.save()
    make_judgement(task, carol, -4, rationale="Shorter.", flags={})
    make_judgement(task, dave, 2)
    return task


def address(name, project, *args):
    return reverse(name, args=[project.pk, *args])


def listed(client, project, **options):
    page = client.get(address("project-review", project), options)
    return [(row.task.pk, row.answers, row.distance) for row in page.context["rows"]]


def bare(task, annotator):
    return Judgement.objects.create(
        project=task.project,
        task=task,
        kind=task.kind,
        annotator=annotator,
        outcome="answer",
        submission_id=uuid.uuid4(),
    )


# How far apart


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ((1, False), (1, False), 0.0),
        ((1, False), (2, False), 1.0),
        ((None, False), (2, False), 0.5),
        ((None, True), (2, False), 1.0),
        ((None, True), (None, False), 1.0),
    ],
)
def test_comparisons_are_apart_when_they_prefer_different_sides(one, other, distance):
    said = [{"better": better, "both_bad": both_bad} for better, both_bad in (one, other)]
    assert compare_comparisons(*said) == compare_comparisons(*reversed(said)) == distance


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ([[1], [2], [3], [4]], [[1], [2], [3], [4]], 0.0),
        ([[1], [2], [3], [4]], [[2], [1], [3], [4]], 1 / 6),
        ([[1], [2], [3], [4]], [[4], [3], [2], [1]], 1.0),
        ([[1, 2], [3]], [[1], [2], [3]], 0.5 / 3),
    ],
)
def test_rankings_are_apart_by_the_pairs_they_turn_round(one, other, distance):
    assert compare_rankings({"tiers": one}, {"tiers": other}) == pytest.approx(distance)


def test_ratings_are_apart_by_their_mean_gap():
    points = {"overall": 7, "true": 2}
    one = {"scores": {"5": {"overall": 7, "true": 1}}, "points": points}
    other = {"scores": {"5": {"overall": 4, "true": 2}}, "points": points}
    assert compare_ratings(one, other) == pytest.approx((0.5 + 1.0) / 2)
    assert widest(compare_ratings, [one]) == 0.0


# The list


def test_only_tasks_that_people_answered_differently_are_listed(bobs, project, split, carol, dave, alice):
    alike = make_task(project, overlap=2)
    make_judgement(alike, carol, -4)
    make_judgement(alike, dave, -1)
    make_judgement(make_task(project, overlap=2), carol, 3)
    tied = make_task(project, overlap=2)
    make_judgement(tied, carol, 0)
    make_judgement(tied, dave, 4)
    assert listed(bobs, project) == [(tied.pk, 2, 0.5), (split.pk, 2, 1.0)]


def test_rankings_and_ratings_are_listed_by_their_distance(bobs, project, carol, dave):
    ranked, rated = make_ranking_task(project, responses=3), make_rating_task(project)
    Task.objects.filter(pk__in=[ranked.pk, rated.pk]).update(required_judgements=2)
    one, two, three = response_ids(ranked)
    for user, score, tiers in ((carol, 4, [[one], [two], [three]]), (dave, 5, [[three], [two], [one]])):
        Ranking.objects.create(judgement=bare(ranked, user), tiers=tiers, shown=[one, two, three])
        scores = {str(pk): {"overall": score} for pk in response_ids(rated)}
        Rating.objects.create(judgement=bare(rated, user), scores=scores, questions=[QUESTION], shown=[])
    assert listed(bobs, project) == [(ranked.pk, 2, 1.0)]


def test_the_list_looks_at_a_bounded_number_of_tasks_and_goes_on(bobs, project, split, carol, dave, monkeypatch):
    monkeypatch.setattr(disagreements, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(disagreements, "LOOKED_AT_ONCE", 2)
    for _ in range(2):
        make_task(project, overlap=2)
    page = bobs.get(address("project-review", project))
    assert page.context["rows"] == []
    assert "Go on to older ones" in page.content.decode()
    older = bobs.get(address("project-review", project) + page.context["older_url"])
    assert [row.task for row in older.context["rows"]] == [split]


def test_the_list_costs_the_same_for_many(bobs, project, split, carol, dave, django_assert_num_queries):
    for _ in range(10):
        task = make_task(project, overlap=2)
        make_judgement(task, carol, -1)
        make_judgement(task, dave, 1)
    with django_assert_num_queries(5):
        bobs.get(address("project-review", project))


def test_annotators_and_strangers_do_not_review(signed_in, project, split, carol, mallory):
    for at in (address("project-review", project), address("task-review", project, split.pk)):
        assert [signed_in(user).get(at).status_code for user in (carol, mallory)] == [403, 404]
    assert signed_in(carol).post(address("task-comment", project, split.pk)).status_code == 403


# One task


def test_what_people_said_is_not_on_the_page_until_it_is_asked_for(bobs, project, split, carol):
    at = address("task-review", project, split.pk)
    hidden = bobs.get(at).content.decode()
    assert "How long do I boil an egg?" in hidden
    assert not [secret for secret in ("Carol", "Dave", "Shorter.", f"person-{carol.pk}") if secret in hidden]
    shown = bobs.get(at, {"answers": 1}).content.decode()
    assert "Carol" in shown and "Dave" in shown and "Shorter." in shown


def test_a_decision_is_a_judgement_of_its_own_and_overwrites_nothing(bobs, project, split, bob):
    before = list(split.judgements.order_by("pk").values_list("pk", "is_current"))
    sides = shown_to_reviewer(split, bob)
    submission = uuid.uuid4()
    data = {"submission_id": submission, "choice": "-3", "reason": "The first is exact."}
    for _ in range(2):
        assert bobs.post(address("task-review", project, split.pk), data).status_code == 302
    decision = split.judgements.get(is_adjudication=True)
    assert (decision.annotator, decision.rationale, decision.submission_id) == (bob, "The first is exact.", submission)
    better = decision.comparison.first if decision.comparison.preference < 0 else decision.comparison.second
    assert better == sides[0].response
    assert list(split.judgements.filter(is_adjudication=False).order_by("pk").values_list("pk", "is_current")) == before
    assert split.judgements.answers().count() == 2
    assert AuditEvent.objects.get(action="task.decided").data == {"reason": "The first is exact."}
    assert listed(bobs, project) == []
    assert listed(bobs, project, show="decided") == [(split.pk, 2, 1.0)]


def test_deciding_again_supersedes_the_decision_whoever_made_it(bobs, signed_in, alice, project, split):
    at = address("task-review", project, split.pk)
    bobs.post(at, {"submission_id": uuid.uuid4(), "choice": "-3", "reason": "One."})
    signed_in(alice).post(at, {"submission_id": uuid.uuid4(), "choice": "2", "reason": "Two."})
    first, second = split.judgements.filter(is_adjudication=True).order_by("pk")
    assert (first.is_current, second.is_current, second.supersedes) == (False, True, first)


def test_a_decision_takes_no_place_and_is_no_answer(bobs, signed_in, alice, project, split, bob):
    data = {"submission_id": uuid.uuid4(), "choice": "-3", "reason": "The first is exact."}
    bobs.post(address("task-review", project, split.pk), data)
    assignment.set_required_judgements(task=split, required=2)
    assert Task.objects.get(pk=split.pk).remaining == 0
    assert "2 of 2" in signed_in(alice).get(address("project-tasks", project)).content.decode()
    assert own_statistics(user=bob, project=project).answers == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reason": " "}, "Say why you decide so."),
        ({"choice": "9"}, "is not on this project"),
        ({"choice": ""}, "Choose which response is better."),
    ],
)
def test_a_decision_without_reason_or_answer_is_refused_and_kept(bobs, project, split, change, message):
    data = {"submission_id": uuid.uuid4(), "choice": "-3", "reason": "The first is exact.", "answers": "1", **change}
    answer = bobs.post(address("task-review", project, split.pk), data)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert message in text and "Carol" in text and data["reason"].strip() in text
    assert not split.judgements.filter(is_adjudication=True).exists()


def test_a_reviewer_sees_the_responses_in_an_order_of_their_own_that_stays(project, alice, bob):
    orders = set()
    for _ in range(12):
        task = make_task(project)
        orders.add(tuple(entry.position for entry in shown_to_reviewer(task, bob)))
        assert shown_to_reviewer(task, bob) == shown_to_reviewer(task, bob)
    assert orders == {(0, 1), (1, 0)}


# Messages


def write(client, project, task, annotator, **fields):
    judgement = task.judgements.answers().get(annotator=annotator)
    data = {"judgement": judgement.pk, "submission_id": uuid.uuid4(), "body": "Please look again.", **fields}
    return client.post(address("task-comment", project, task.pk), data)


def test_a_task_is_sent_back_read_corrected_and_settled(bobs, signed_in, project, split, bob, carol, dave):
    assert write(bobs, project, split, carol, asks_correction="on").status_code == 302
    assert (count_unseen(carol), count_unseen(dave), count_unseen(bob)) == (1, 0, 0)
    assert AuditEvent.objects.filter(action="judgement.sent_back").exists()
    carols = signed_in(carol)
    assert "Messages" in carols.get(address("judge", project)).content.decode()
    assert "1 new message" in carols.get(reverse("home")).content.decode()
    page = carols.get(reverse("my-messages")).content.decode()
    assert "Please look again." in page and "Sent back" in page and "New" in page
    opened = address("judgement-open", project, carol.leases.get(task=split).pk)
    text = carols.get(opened).content.decode()
    assert "asks for a correction" in text and "Bob" not in text and "Dave" not in text
    assert count_unseen(carol) == 0
    carols.post(opened, {"submission_id": uuid.uuid4(), "choice": "1"})
    assert Comment.objects.get().resolved_at is not None
    assert "settled" in carols.get(opened).content.decode()


def test_an_annotator_answers_and_the_reviewer_reads_it(bobs, signed_in, project, split, bob, carol, alice):
    write(bobs, project, split, carol, asks_correction="on")
    reply = address("judgement-reply", project, carol.leases.get(task=split).pk)
    data = {"submission_id": uuid.uuid4(), "body": "I stand by it."}
    for _ in range(2):
        assert signed_in(carol).post(reply, data).status_code == 302
    asked, answered = Comment.objects.order_by("pk")
    assert (asked.resolved_at is not None, answered.author, answered.asks_correction) == (True, carol, False)
    assert (count_unseen(bob), count_unseen(alice)) == (1, 0)
    assert "I stand by it." in bobs.get(reverse("my-messages")).content.decode()
    assert "I stand by it." in bobs.get(address("task-review", project, split.pk), {"answers": 1}).content.decode()
    assert count_unseen(bob) == 0


def test_a_thread_is_seen_by_its_annotator_and_the_reviewers_alone(bobs, signed_in, project, split, carol, dave):
    write(bobs, project, split, carol)
    daves = signed_in(dave)
    lease = dave.leases.get(task=split)
    assert "Please look again." not in daves.get(address("judgement-open", project, lease.pk)).content.decode()
    assert "No messages" in daves.get(reverse("my-messages")).content.decode()
    answer = daves.post(address("judgement-reply", project, lease.pk), {"submission_id": uuid.uuid4(), "body": "?"})
    assert answer.status_code == 404
    assert daves.get(address("judgement-open", project, carol.leases.get().pk)).status_code == 404


def test_an_empty_message_is_refused_with_the_rest_kept(bobs, signed_in, project, split, carol):
    answer = write(bobs, project, split, carol, body=" ", asks_correction="on")
    assert answer.status_code == 422
    assert "Write something before you send it." in answer.content.decode()
    assert answer.context["comment_form"]["asks_correction"].value()
    write(bobs, project, split, carol)
    reply = address("judgement-reply", project, carol.leases.get(task=split).pk)
    answer = signed_in(carol).post(reply, {"submission_id": uuid.uuid4(), "body": ""})
    assert answer.status_code == 422
    assert "Write something before you send it." in answer.content.decode()


def test_nobody_writes_to_themselves_to_a_file_or_to_another_task(bobs, project, split, bob, carol):
    own = make_judgement(make_task(project), bob)
    imported = make_judgement(make_task(project), None, external_annotator="file")
    other = make_judgement(make_task(project), carol)
    for judgement, task in ((own, own.task), (imported, imported.task), (other, split)):
        data = {"judgement": judgement.pk, "submission_id": uuid.uuid4(), "body": "Hello"}
        assert bobs.post(address("task-comment", project, task.pk), data).status_code == 404


def test_a_reviewer_who_left_has_no_messages_from_there(bobs, project, split, bob, carol, signed_in):
    write(bobs, project, split, carol)
    reply = address("judgement-reply", project, carol.leases.get(task=split).pk)
    signed_in(carol).post(reply, {"submission_id": uuid.uuid4(), "body": "Why?"})
    project.memberships.get(user=bob).delete()
    assert count_unseen(bob) == 0
    assert "No messages" in bobs.get(reverse("my-messages")).content.decode()
