"""How long the leaderboard's page takes over the most judgements it looks at: 10,000 comparisons of six models.

    nice -n 15 python -m bench.leaderboard_page

Prints one JSON line: seconds of the first request, of the same again, and after one more judgement; wall clock, and the
processor's time of this process (the database is another one).
"""

import json
import random
import time
import uuid
from typing import Any

from bench.scratch import scratch_database

JUDGEMENTS, MODELS, TEXT = 10_000, 6, "Boil it for seven minutes, then put it into cold water. "


def main() -> None:
    with scratch_database():
        client, address, add = build()
        lines: dict[str, float] = {"judgements": JUDGEMENTS}
        for name in ("first", "again"):
            lines |= timed(name, client, address)
        add()
        lines |= timed("after_one_more", client, address)
        print(json.dumps(lines))


def timed(name: str, client: Any, address: str) -> dict[str, float]:
    wall, processor = time.perf_counter(), time.process_time()
    answer = client.get(address)
    assert answer.status_code == 200 and b"model 1" in answer.content
    return {
        f"{name}_s": round(time.perf_counter() - wall, 2),
        f"{name}_processor_s": round(time.process_time() - processor, 2),
    }


def build() -> tuple[Any, str, Any]:
    """A signed-in client, the page's address, and what adds one more judgement."""
    from django.test import Client
    from django.urls import reverse

    from annotate.models import Author
    from tests.factories import make_author, make_project, make_user

    owner = make_user("Owner", is_staff=True)
    project = make_project(owner)
    authors = [make_author(project, f"model {number}", Author.Kind.MODEL) for number in range(MODELS)]
    judge(project, owner, authors, JUDGEMENTS)
    client = Client(headers={"host": "localhost"})
    client.force_login(owner)
    return client, reverse("project-leaderboard", args=[project.pk]), lambda: judge(project, owner, authors, 1)


def judge(project: Any, user: Any, authors: list[Any], count: int) -> None:
    """So many prompts, each with one judged comparison of two of the authors, the later the better."""
    from annotate.models import Comparison, Judgement, Kind, Prompt, Response, Task, TaskResponse

    lot = random.Random(count)
    prompts = Prompt.objects.bulk_create(
        Prompt(project=project, messages=[{"role": "user", "content": str(number)}], content_hash=uuid.uuid4().hex)
        for number in range(count)
    )
    pairs = [lot.sample(range(len(authors)), 2) for _ in prompts]
    written = Response.objects.bulk_create(
        Response(prompt=prompt, author=authors[place], text=TEXT * lot.randint(1, 20), key=f"{place}")
        for prompt, pair in zip(prompts, pairs, strict=True)
        for place in pair
    )
    tasks = Task.objects.bulk_create(
        Task(project=project, prompt=prompt, key=uuid.uuid4().hex, required_judgements=1, remaining=0)
        for prompt in prompts
    )
    both = list(zip(written[::2], written[1::2], strict=True))
    TaskResponse.objects.bulk_create(
        TaskResponse(task=task, response=response, position=position)
        for task, responses in zip(tasks, both, strict=True)
        for position, response in enumerate(responses)
    )
    judgements = Judgement.objects.bulk_create(
        Judgement(
            project=project,
            task=task,
            kind=Kind.COMPARISON,
            annotator=user,
            outcome=Judgement.Outcome.ANSWER,
            submission_id=uuid.uuid4(),
        )
        for task in tasks
    )
    Comparison.objects.bulk_create(
        Comparison(judgement=judgement, first=first, second=second, points=8, preference=prefer(lot, pair))
        for judgement, (first, second), pair in zip(judgements, both, pairs, strict=True)
    )


def prefer(lot: random.Random, pair: list[int]) -> int:
    return -2 if lot.random() < 0.5 + 0.08 * (pair[0] - pair[1]) else 2


if __name__ == "__main__":
    main()
