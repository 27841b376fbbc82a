"""What an annotator's browser receives tells nothing of what a task is for, and sides are fair."""

import re
import uuid

from django.urls import reverse

from annotate.models import Lease, Project, Purpose, Task
from annotate.selection import draw_order
from annotate.services.progress import own_progress
from tests.annotate.known import make_known
from tests.factories import make_task

HTMX = {"HX-Request": "true"}
GIVEN_AWAY = re.compile(r"gold|mirror|agreed|purpose|qualif|practi|reserved|model one|how long it takes", re.I)


def answer(lease, **fields):
    choice = "-2" if lease.order[0] == 0 else "2"
    return {"lease": lease.pk, "submission_id": uuid.uuid4(), "choice": choice, "active_seconds": "30", **fields}


def test_the_traffic_of_gold_and_repeats_says_nothing_of_either(signed_in, project, alice, carol):
    """Pages, fragments, what is held ready, heartbeats, drafts and the history, headers and all."""
    for _ in range(3):
        make_known(project, alice, explanation="Because how long it takes is said.")
    for _ in range(14):
        make_task(project)
    client, traffic = signed_in(carol), []

    def at(name, *args):
        return reverse(name, args=[project.pk, *args])

    def record(reply):
        headers = "\n".join(f"{name}: {value}" for name, value in reply.headers.items())
        traffic.append(headers + reply.content.decode())

    Project.objects.update(gold_rate=0.0)
    record(client.get(at("judge")))
    for n in range(17):
        Project.objects.update(gold_rate=1.0 if n in (3, 5, 8) else 0.0, mirror_rate=1.0 if n > 12 else 0.0)
        lease = Lease.objects.filter(annotator=carol, state="held", is_ahead=False).latest("pk")
        record(client.post(at("judge-heartbeat"), {"lease": lease.pk}))
        record(client.post(at("judge-draft"), answer(lease)))
        record(client.post(at("judge"), answer(lease), headers=HTMX))
        record(client.get(at("judge")))
        record(client.get(at("judge-ahead"), {"lease": lease.pk}))
    record(client.get(at("judgement-history")))
    judged = {row.task.purpose for row in carol.judgements.select_related("task")}
    assert judged == {Purpose.WORK, Purpose.GOLD, Purpose.MIRROR}
    found = [match.group() for text in traffic for match in GIVEN_AWAY.finditer(text)]
    assert found == []


def test_sides_are_fair_over_fifty_thousand_draws():
    """Within 1.4 points of half: six standard deviations here, two over the 5,000 of the target."""
    lefts = sum(order.index(0) < order.index(1) for order in (draw_order() for _ in range(50_000)))
    assert abs(lefts / 50_000 - 0.5) < 0.014


def test_what_waits_is_counted_roughly_where_gold_is_mixed_in(project, alice, carol):
    """An exact figure would stand still whenever the task in hand is none of those that wait."""
    for _ in range(12):
        make_task(project)
    assert own_progress(user=carol, project=project).waiting_in_words == "12"
    make_known(project, alice)
    assert own_progress(user=carol, project=project).waiting_in_words == "10+"
    Task.objects.filter(purpose=Purpose.WORK, pk__gt=Task.objects.earliest("pk").pk).update(remaining=0)
    assert own_progress(user=carol, project=project).as_dict() == {"today": 0, "total": 0, "waiting": "under 10"}
