"""Responses and who wrote them. Both are found again when they are written twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

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
def add_responses(
    *, responses: Sequence[Response], new_prompts: Collection[int] = frozenset()
) -> list[tuple[Response, bool]]:
    """Store unsaved responses; for each, in order, the stored one and whether this call made it.

    A response is known by (prompt, key): of two with the same, here or in the database, the first stays. `new_prompts`
    are prompts that this transaction has added, which cannot have any yet. Raises ValueError when an author is of
    another project than the prompt.
    """
    for response in responses:
        if response.author.project_id != response.prompt.project_id:
            raise ValueError(f"author {response.author_id} is of another project than prompt {response.prompt_id}")
    before = _find_responses([response for response in responses if response.prompt_id not in new_prompts])
    places = [_place(response) for response in responses]
    missing: dict[tuple[int, str], Response] = {}
    for place, response in zip(places, responses, strict=True):
        if place not in before:
            missing.setdefault(place, response)
    stored = before | _store_responses(missing)
    return [(stored[place], missing.pop(place, None) is not None) for place in places]


def _store_responses(missing: Mapping[tuple[int, str], Response]) -> dict[tuple[int, str], Response]:
    """These responses, stored; in place of one that somebody else stores at the same time, theirs."""
    responses = list(missing.values())
    try:
        with transaction.atomic():
            insert_many(responses)
        return dict(missing)
    except IntegrityError:
        Response.objects.bulk_create(responses, ignore_conflicts=True)
        return _find_responses(responses)


def _place(response: Response) -> tuple[int, str]:
    return response.prompt_id, response.key


def _find_responses(responses: Sequence[Response]) -> dict[tuple[int, str], Response]:
    if not responses:
        return {}
    prompts, keys = [response.prompt_id for response in responses], [response.key for response in responses]
    found = find_any(Response, "id", wanted={"prompt_id": prompts, "key": keys})
    return {_place(response): response for response in Response.objects.filter(pk__in=found)} if found else {}
