"""Tasks whose answer is written or marked in a text."""

from annotate.models import Project, Response, Task
from annotate.services.tasks import Item, create_tasks
from tests.factories import make_prompt, make_response

PROMPT = "How long do I boil an egg?"


def make_text_task(project: Project, kind: str, *texts: str, prompt: str = PROMPT) -> Task:
    """A task of this kind about responses with these texts, for one person."""
    asked = make_prompt(project, prompt)
    item = Item(asked.pk, tuple(make_response(asked, text) for text in texts))
    create_tasks(project=project, kind=kind, items=[item], overlap=1, key_prefix="test")
    return Task.objects.get(prompt=asked)


def response_of(text: str) -> Response:
    return Response.objects.get(text=text)
