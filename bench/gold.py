"""T12: whether the time of an answer tells gold from work. One person, gold at half the tasks, over the site's URLs.

    .venv/bin/python -m bench.gold            prints one JSON line

Two times are taken apart by what they could give away: judging a task (was it gold?) and being handed one (is it?).
`same` is the chance that a gold time is the longer of two drawn at random: 0.5 tells nothing (95 % of equal samples of
this size lie within 0.5 ± 1.96·√((m + n + 1) / (12 m n)), Mann and Whitney 1947).
"""

import json
import statistics
import time
import uuid
from math import sqrt

from bench.scratch import scratch_database

WORK, GOLD, ANSWERS, WARM = 420, 420, 400, 20
HTMX = {"HX-Request": "true"}


def main() -> None:
    with scratch_database():
        print(json.dumps(measure()))


def measure() -> dict[str, object]:
    from django.test import Client

    from annotate.models import Lease, Purpose
    from tests.annotate.known import make_known
    from tests.factories import add_member, make_project, make_task, make_user

    alice, carol = make_user("Alice", is_staff=True), make_user("Carol")
    project = make_project(
        alice,
        reading_warning=False,
        gold_rate=0.5,
        gold_warn_below=0.0,
        gold_pause_below=0.0,
        show_agreed_answers=False,
    )
    add_member(project, carol, "annotator")
    for _ in range(GOLD):
        make_known(project, alice)
    for _ in range(WORK):
        make_task(project)
    client = Client(headers={"host": "localhost"})
    client.force_login(carol)
    url = f"/projects/{project.pk}/judge/"
    client.get(url)
    judged: dict[bool, list[float]] = {True: [], False: []}
    handed: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ANSWERS + WARM):
        lease = Lease.objects.select_related("task").get(annotator=carol, state="held")
        data = {"lease": lease.pk, "submission_id": str(uuid.uuid4()), "choice": "-4"}
        started = time.perf_counter()
        client.post(url, data, headers=HTMX)
        took = (time.perf_counter() - started) * 1000
        if number < WARM:
            continue
        following = Lease.objects.select_related("task").get(annotator=carol, state="held")
        judged[lease.task.purpose == Purpose.GOLD].append(took)
        handed[following.task.purpose == Purpose.GOLD].append(took)
    return {"judging": compare(judged), "handing_out": compare(handed)}


def compare(times: dict[bool, list[float]]) -> dict[str, float]:
    gold, work = times[True], times[False]
    longer = sum((one > other) + 0.5 * (one == other) for one in gold for other in work) / (len(gold) * len(work))
    spread = 1.96 * sqrt((len(gold) + len(work) + 1) / (12 * len(gold) * len(work)))
    return {
        "gold_median_ms": round(statistics.median(gold), 1),
        "work_median_ms": round(statistics.median(work), 1),
        "same": round(longer, 3),
        "within": round(spread, 3),
    }


if __name__ == "__main__":
    main()
