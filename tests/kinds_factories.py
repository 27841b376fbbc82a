"""Tasks of the kinds that say something about several responses at once."""

from annotate.models import Kind, Project, Task, TaskResponse
from tests.factories import make_prompt, make_response
from tests.numbering import NUMBERS


def make_ranking_task(project: Project, *, responses: int = 4) -> Task:
    return make_task_of(Kind.RANKING, project, responses)


def make_rating_task(project: Project, *, responses: int = 2) -> Task:
    return make_task_of(Kind.RATING, project, responses)


def make_task_of(kind: str, project: Project, responses: int) -> Task:
    """A task for one person, with this many responses named after their positions."""
    prompt = make_prompt(project)
    task = Task.objects.create(
        project=project, kind=kind, prompt=prompt, key=f"task-{next(NUMBERS)}", required_judgements=1, remaining=1
    )
    for position in range(responses):
        TaskResponse.objects.create(
            task=task, response=make_response(prompt, f"Answer {position}: boil it."), position=position
        )
    return task


def response_ids(task: Task) -> list[int]:
    """In the task's own order."""
    return list(task.places.order_by("position").values_list("response", flat=True))


def letter_ids(task: Task) -> dict[str, int]:
    """{letter: response id}, as the task's only lease shows them."""
    ids = response_ids(task)
    return {"ABCDEFGHI"[place]: ids[position] for place, position in enumerate(task.leases.get().order)}
