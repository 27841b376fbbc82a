"""Rows that name prompts and responses instead of bringing them: a file of verdicts beside a file of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from annotate.imports.rows import JudgedRow, ReadResponse
from annotate.models import Project, Prompt, Response

Found = Mapping[tuple[int, str], list[Response]]  # (prompt id, author's name) → responses


def resolve_references(*, project: Project, rows: Sequence[JudgedRow]) -> tuple[list[JudgedRow], list[str]]:
    """The rows with the texts they refer to, and why a row refers to nothing ("" where it does not).

    Two statements where a row refers to anything, none otherwise.
    """
    ids = {row.prompt.external_id for row in rows if not row.prompt.messages}
    if not ids:
        return list(rows), [""] * len(rows)
    prompts = {prompt.external_id: prompt for prompt in Prompt.objects.filter(project=project, external_id__in=ids)}
    names = {read.author for row in rows if not row.prompt.messages for read in row.responses}
    responses: dict[tuple[int, str], list[Response]] = {}
    found = Response.objects.filter(prompt__in=prompts.values(), author__name__in=names)
    for response in found.select_related("author").order_by("pk"):
        responses.setdefault((response.prompt_id, response.author.name), []).append(response)
    resolved = [_resolve(row, prompts, responses) for row in rows]
    return [row for row, _ in resolved], [reason for _, reason in resolved]


def _resolve(row: JudgedRow, prompts: Mapping[str, Prompt], responses: Found) -> tuple[JudgedRow, str]:
    if row.prompt.messages:
        return row, ""
    prompt = prompts.get(row.prompt.external_id)
    if prompt is None:
        return row, f"names the prompt “{row.prompt.external_id}”, which is not here; import the prompts first"
    reads: list[ReadResponse] = []
    for read in row.responses:
        known = responses.get((prompt.pk, read.author), [])
        if len(known) != 1:
            count = f"{len(known)} responses" if known else "no response"
            return row, f"the prompt “{prompt.external_id}” has {count} by “{read.author}”; one is needed"
        reads.append(replace(read, text=known[0].text, key=known[0].key, author_kind=known[0].author.kind))
    facts = replace(row.prompt, messages=prompt.messages, system=prompt.system)
    return replace(row, prompt=facts, responses=tuple(reads)), ""
