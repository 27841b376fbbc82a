"""T7: 50 people over HTTP, two of them for each of 1,000 tasks, while the web server's processes are killed at random.

    .venv/bin/python -m bench.web_kills           prints one JSON line

Everybody sends an answer again, with the same submission id, until it is taken, as the page does. Some people vanish
after a few answers with two tasks in their hands; those must be judged by others once the leases have run out.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.annotators import CHOICES, Annotator, Refused, look_again
from bench.site import Site, import_tasks, make_people, running_site, sign_in
from bench.web import write_tasks

TASKS, OVERLAP, PEOPLE, VANISH = 1_000, 2, 50, 5
LEASE_MINUTES = 1
LONGEST = 400  # seconds for the whole
BETWEEN_KILLS = (20, 80)  # answers
SETTLED = 6.0  # seconds: granian takes a process that dies sooner for one that cannot start, and gives up


def main() -> None:
    with running_site(with_jobs=True) as site:
        print(json.dumps(measure(site)))


def measure(site: Site) -> dict[str, Any]:
    from tests.factories import make_project, make_user

    owner = make_user("Alice", is_staff=True)
    project = make_project(owner, name="Kills", overlap=OVERLAP, lease_minutes=LEASE_MINUTES, reading_warning=False)
    import_tasks(project, owner, write_tasks(site.folder / "tasks.jsonl", TASKS), overlap=OVERLAP)
    users = make_people(project, PEOPLE)
    people = [Annotator(site.address, project.pk, sign_in(user), patient=True) for user in users]
    stop, started = threading.Event(), time.monotonic()
    threads = [
        threading.Thread(target=stay, args=(person, stop, 5 if number < VANISH else 10**9, random.Random(number)))
        for number, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    kills, returned = kill_and_watch(site, project, users[:VANISH], until=started + LONGEST)
    seconds = time.monotonic() - started
    stop.set()
    for thread in threads:
        thread.join()
    return {"seconds": round(seconds, 1), "kills": kills, **count(project, people), **returned}


def stay(person: Annotator, stop: threading.Event, answers: int, lots: random.Random) -> None:
    """Judge until told to stop; whoever has given their last answer just goes away."""
    while not stop.is_set() and len(person.report.accepted) < answers:
        try:
            if person.shown or person.open():
                person.report.accepted.append(person.judge(lots.choice(CHOICES)))
            else:
                stop.wait(1)
        except Refused as error:
            person.report.errors.append(str(error))
            look_again(person)


def kill_and_watch(site: Site, project: Any, vanished: Sequence[Any], *, until: float) -> tuple[int, dict[str, Any]]:
    """SIGKILL one of the web server's processes every few dozen answers until all places are filled; how many were
    killed, and how long after their end the leases of those who vanished were back."""
    from annotate.models import Judgement, Lease

    lots, kills, next_kill, late = random.Random(1), 0, BETWEEN_KILLS[0], 0.0
    held = Lease.objects.filter(annotator__in=vanished, task__project=project, state=Lease.State.HELD)
    ends: dict[int, float] = {}
    while time.monotonic() < until:
        now = {pk: end.timestamp() for pk, end in held.values_list("pk", "expires_at")}
        late = max([late, *(time.time() - ends[pk] for pk in ends.keys() - now.keys() if time.time() > ends[pk])])
        ends = now
        answers = Judgement.objects.filter(project=project, is_current=True, is_surplus=False).count()
        if answers >= TASKS * OVERLAP and not ends:
            break
        if answers >= next_kill and kill_one(site, lots):
            kills, next_kill = kills + 1, answers + lots.randint(*BETWEEN_KILLS)
        time.sleep(0.2)
    return kills, {"leases_still_held": len(ends), "lease_back_after_s": round(late, 1)}


def kill_one(site: Site, lots: random.Random) -> bool:
    settled = [process for process in site.web_workers() if time.time() - process.create_time() > SETTLED]
    if settled:
        lots.choice(settled).kill()
    return bool(settled)


def count(project: Any, people: Sequence[Annotator]) -> dict[str, int]:
    from annotate.models import Judgement, Task

    told = {cycle.submission for person in people for cycle in person.report.accepted}
    rows = Judgement.objects.filter(project=project)
    pairs = Counter(rows.filter(is_current=True).values_list("task", "annotator"))
    counting = Counter(rows.filter(is_current=True, is_surplus=False).values_list("task", flat=True))
    stored = {str(submission) for submission in rows.values_list("submission_id", flat=True)}
    return {
        "tasks": Task.objects.filter(project=project).count(),
        "accepted": sum(counting.values()),
        "duplicates": sum(number - 1 for number in pairs.values()),
        "collected_too_often": sum(max(0, number - OVERLAP) for number in counting.values()),
        "surplus": rows.filter(is_surplus=True).count(),
        "lost": len(told - stored),
        "errors": sum(len(person.report.errors) for person in people),
        "broken_connections": sum(person.report.broken for person in people),
    }


if __name__ == "__main__":
    main()
