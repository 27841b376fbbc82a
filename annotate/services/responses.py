"""Responses and who wrote them. Both are found again when they are written twice."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from annotate.many_rows import find_any, insert_many
from annotate.models import Author, Project, Prompt, Response, User


def get_author(*, project: Project, kind: str, name: str, user: User | None = None) -> Author:
    """The author of this kind and name in the project, made at first sight."""
    author, _ = Author.objects.get_or_create(project=project, kind=kind, name=name, defaults={"user": user})
    return author


def add_response(
    *,
    prompt: Prompt,
    author: Author,
    key: str,
    text: str,
    sampling: dict | None = None,
    seed: int | None = None,
    token_count: int | None = None,
    finish_reason: str = Response.FinishReason.UNKNOWN,
) -> Response:
    """The prompt's response of this key; made when there is none, left as it is when there is."""
    response = Response(
        prompt=prompt,
        author=author,
        key=key,
        text=text,
        sampling=sampling or {},
        seed=seed,
        token_count=token_count,
        finish_reason=finish_reason,
    )
    return add_responses(responses=[response])[0][0]


@transaction.atomic
def add_responses(*, responses: Sequence[Response]) -> list[tuple[Response, bool]]:
    """Store unsaved responses; for each, in order, the stored one and whether this call made it.

    A response is known by (prompt, key): of two with the same, here or in the database, the first stays. Raises
    ValueError when an author is of another project than the prompt.
    """
    for response in responses:
        if response.author.project_id != response.prompt.project_id:
            raise ValueError(f"author {response.author_id} is of another project than prompt {response.prompt_id}")
    before = _find_responses(responses)
    missing = {_place(response): response for response in reversed(responses) if _place(response) not in before}
    stored = before | _store_responses([*reversed(missing.values())])
    return [(stored[_place(response)], missing.pop(_place(response), None) is not None) for response in responses]


def _store_responses(responses: Sequence[Response]) -> dict[tuple[int, str], Response]:
    """These responses, stored; in place of one that somebody else stores at the same time, theirs."""
    try:
        with transaction.atomic():
            insert_many(responses)
        return {_place(response): response for response in responses}
    except IntegrityError:
        Response.objects.bulk_create(responses, ignore_conflicts=True)
        return _find_responses(responses)


def _place(response: Response) -> tuple[int, str]:
    return response.prompt_id, response.key


def _find_responses(responses: Sequence[Response]) -> dict[tuple[int, str], Response]:
    prompts, keys = {response.prompt_id for response in responses}, {response.key for response in responses}
    found = find_any(Response, "id", among={"prompt_id": prompts, "key": keys})
    return {_place(response): response for response in Response.objects.filter(pk__in=found)} if found else {}
