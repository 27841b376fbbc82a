"""Prompts into a project. A prompt is known by its content: storing it twice adds nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import models, transaction

from annotate.imports.conversations import check_prompt
from annotate.imports.rows import PromptRow, ReadResponse, RowRefused
from annotate.many_rows import Wanted, find_any, insert_many, row_maker
from annotate.models import Author, Project, Prompt, Response, User
from annotate.services.audit import record_audit
from annotate.services.responses import add_responses, get_author


class PromptInUse(Exception):
    """The prompt has responses or tasks, so it stays."""


@dataclass
class Outcome:
    """What became of a row: stored as `prompt`, there already, or refused with a reason."""

    prompt: Prompt | None = None
    is_new: bool = False
    reason: str = ""


def content_hash(*, system: str, messages: list[dict[str, str]]) -> str:
    """SHA-256 (hex) of what a model would be shown: system text and turns, as canonical JSON."""
    return hashlib.sha256(orjson.dumps([system, messages], option=orjson.OPT_SORT_KEYS)).hexdigest()


def text_key(prefix: str, *parts: str) -> str:
    """A key made from content, so that the same content finds its row again."""
    return f"{prefix}-{hashlib.sha256(_in_ascii(parts)).hexdigest()[:40]}"


def _in_ascii(parts: Sequence[str]) -> bytes:
    """`json.dumps(parts)`; of plain ASCII the same, sooner."""
    if all(part.isascii() and "\x7f" not in part for part in parts):
        return b"[%b]" % b", ".join(map(orjson.dumps, parts))
    return json.dumps(parts).encode()


def response_key(read: ReadResponse, author_name: str) -> str:
    """The key of a response that came with its prompt: by whom, and what."""
    return text_key("file", read.author or author_name, read.text)


def lock_project(project: Project) -> None:
    """One writer of prompts at a time in a project, until the transaction ends; judging goes on meanwhile."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def match_prompts(*, project: Project, rows: Sequence[PromptRow]) -> list[Outcome]:
    """What storing these rows would do, with unsaved prompts for the new ones. Three statements; writes nothing."""
    hashes = [content_hash(system=row.system, messages=row.messages) for row in rows]
    external_ids = {row.external_id for row in rows if row.external_id}
    there = {prompt.pk: prompt for prompt in _find_prompts(project, set(hashes), external_ids)}
    by_hash = {prompt.content_hash: prompt for prompt in there.values()}
    by_id = {prompt.external_id: prompt for prompt in there.values() if prompt.external_id}
    outcomes, make = [], row_maker(Prompt)
    for row, digest in zip(rows, hashes, strict=True):
        if prompt := by_hash.get(digest):
            outcomes.append(Outcome(prompt))
        elif other := by_id.get(row.external_id):
            outcomes.append(Outcome(reason=_id_taken(row.external_id, other)))
        else:
            prompt = make(_facts_of(project, row, digest))
            by_hash[digest] = prompt
            if row.external_id:
                by_id[row.external_id] = prompt
            outcomes.append(Outcome(prompt, is_new=True))
    return outcomes


def _find_prompts(project: Project, hashes: set[str], external_ids: set[str]) -> list[Prompt]:
    """The project's prompts with one of these contents or one of these ids."""
    found = find_any(Prompt, "id", wanted={"project_id": [project.pk] * len(hashes), "content_hash": [*hashes]})
    if external_ids:
        own = [project.pk] * len(external_ids)
        wanted: Wanted = {"project_id": own, "external_id": list(external_ids)}
        found += find_any(Prompt, "id", wanted=wanted, where="external_id <> ''")
    return list(Prompt.objects.filter(pk__in=set(found))) if found else []


def match_responses(*, rows: Sequence[PromptRow], outcomes: Sequence[Outcome], author_name: str) -> None:
    """Mark the rows whose prompt is known and brings a response that is not. One statement; writes nothing."""
    brought = [
        (outcome, response_key(read, author_name))
        for row, outcome in zip(rows, outcomes, strict=True)
        for read in row.responses
        if outcome.prompt and outcome.prompt.pk
    ]
    prompts = {outcome.prompt for outcome, _ in brought}
    found = Response.objects.filter(prompt__in=prompts, key__in={key for _, key in brought})
    known = set(found.values_list("prompt_id", "key"))
    for outcome, key in brought:
        place = (outcome.prompt.pk if outcome.prompt else 0, key)
        outcome.is_new = outcome.is_new or place not in known
        known.add(place)


@transaction.atomic
def add_prompts(*, project: Project, rows: Sequence[PromptRow], author_name: str = "") -> list[Outcome]:
    """Store the rows and the responses that came with them; one outcome a row, in order.

    A row is new when its prompt or one of its responses is. Responses whose row names nobody are by `author_name`.
    """
    lock_project(project)
    outcomes = match_prompts(project=project, rows=rows)
    insert_many([outcome.prompt for outcome in outcomes if outcome.prompt and outcome.is_new])
    _add_responses_of_rows(project, rows, outcomes, author_name)
    return outcomes


@transaction.atomic
def add_prompt(
    *, project: Project, actor: User, text: str, system: str = "", tags: Sequence[str] = ()
) -> tuple[Prompt, bool]:
    """Store one prompt written by hand; (the prompt, whether it is new). Raises RowRefused: empty or too long."""
    messages = [{"role": "user", "content": text.strip()}]
    check_prompt(system.strip(), messages, "prompt")
    row = PromptRow(messages=messages, shape="by hand", system=system.strip(), tags=tuple(tags), source="by hand")
    outcome = add_prompts(project=project, rows=[row])[0]
    if outcome.prompt is None:
        raise RowRefused(outcome.reason)
    if outcome.is_new:
        record_audit(actor=actor, action="prompt.added", project=project, target=f"prompt {outcome.prompt.pk}")
    return outcome.prompt, outcome.is_new


@transaction.atomic
def delete_prompt(*, prompt: Prompt, actor: User) -> None:
    """Remove a prompt that nothing refers to. Raises PromptInUse when it has responses or tasks."""
    lock_project(prompt.project)
    if prompt.responses.exists() or prompt.tasks.exists():
        raise PromptInUse("This prompt has responses or tasks, and what was said about them must keep its meaning.")
    record_audit(
        actor=actor,
        action="prompt.deleted",
        project=prompt.project,
        target=f"prompt {prompt.pk}",
        data={"content_hash": prompt.content_hash, "excerpt": prompt.excerpt()},
    )
    try:
        prompt.delete()
    except models.ProtectedError as error:
        raise PromptInUse("Something refers to this prompt, so it stays.") from error


def _facts_of(project: Project, row: PromptRow, digest: str) -> dict[str, Any]:
    return {
        "project": project,
        "messages": row.messages,
        "system": row.system,
        "tags": list(row.tags),
        "source": row.source,
        "external_id": row.external_id,
        "content_hash": digest,
    }


def _id_taken(external_id: str, other: Prompt) -> str:
    return (
        f"the id “{external_id}” already belongs to another prompt, “{other.excerpt(60)}”. "
        "Change the id, or set a prefix for the ids of this file."
    )


def _add_responses_of_rows(
    project: Project, rows: Sequence[PromptRow], outcomes: Sequence[Outcome], author_name: str
) -> None:
    """Store what came with the rows and count a row as new when one of its responses is."""
    authors: dict[str, Author] = {}
    responses: list[Response] = []
    owners: list[Outcome] = []
    for row, outcome in zip(rows, outcomes, strict=True):
        for read in row.responses if outcome.prompt else ():
            name = read.author or author_name
            author = authors.get(name) or get_author(project=project, kind=Author.Kind.FILE, name=name)
            authors[name] = author
            key = response_key(read, author_name)
            responses.append(Response(prompt=outcome.prompt, author=author, key=key, text=read.text))
            owners.append(outcome)
    if not responses:
        return
    new_prompts = {outcome.prompt.pk for outcome in outcomes if outcome.prompt and outcome.is_new}
    stored = add_responses(responses=responses, new_prompts=new_prompts)
    for outcome, (_, was_added) in zip(owners, stored, strict=True):
        outcome.is_new = outcome.is_new or was_added
