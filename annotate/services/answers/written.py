"""Responses that a person wrote by judging."""

from __future__ import annotations

from annotate.models import Author, Judgement, Response
from annotate.services.responses import add_response, get_author


def store_written(judgement: Judgement, text: str) -> Response:
    """The text as a response of the judgement's prompt, by its annotator. A repeated submission finds it again."""
    person, project = judgement.annotator, judgement.project
    if person is None:
        raise ValueError(f"judgement {judgement.pk} has no annotator; a text needs somebody who wrote it.")
    author = get_author(project=project, kind=Author.Kind.PERSON, name=person.email, user=person)
    key = f"judgement:{judgement.submission_id}"
    return add_response(prompt=judgement.task.prompt, author=author, key=key, text=text)
