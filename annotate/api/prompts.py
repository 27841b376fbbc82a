"""Prompts and the responses to them."""

from __future__ import annotations

from typing import Any

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, PageQuery, page_of
from annotate.api.problems import Invalid, conflicting
from annotate.api.serializers.prompts import (
    NewPromptsSerializer,
    NewResponsesSerializer,
    PromptQuery,
    PromptSerializer,
    ResponseSerializer,
    StoredPromptsSerializer,
    StoredResponsesSerializer,
)
from annotate.imports.conversations import check_prompt, check_response, parse_messages
from annotate.imports.rows import PromptRow, ReadResponse, RowRefused
from annotate.models import Author, Prompt, Response, Scope
from annotate.services.audit import record_audit
from annotate.services.prompts import Outcome, PromptInUse, add_prompts, delete_prompt
from annotate.services.responses import add_responses, get_author


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=PromptQuery, answer=PromptSerializer, paged=True)
def list_prompts(call: Call) -> Page:
    """The project's prompts."""
    found = Prompt.objects.visible_to(call.user).of_project(call.project)
    found = found.tagged(call.query.get("tag", "")).containing(call.query.get("q", ""))
    if "external_id" in call.query:
        found = found.filter(external_id=call.query["external_id"])
    return page_of(found.with_counts(), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=PromptSerializer)
def show_prompt(call: Call, pk: int) -> Prompt:
    """One prompt."""
    found: Prompt = get_in_project(Prompt.objects.visible_to(call.user).with_counts(), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=NewPromptsSerializer,
    answer=StoredPromptsSerializer,
    example={
        "prompts": [{"text": "How long do I boil an egg?", "tags": ["egg"], "responses": [{"text": "Seven minutes."}]}]
    },
)
def send_prompts(call: Call) -> dict[str, Any]:
    """Store prompts, with or without responses; at most 1,000 at once.

    A prompt is known by its content: sending it again adds nothing but responses it does not have. One that cannot be
    taken is refused with a reason, and the others are stored.
    """
    rows = [read_row(sent) for sent in call.data["prompts"]]
    taken = [row for row in rows if isinstance(row, PromptRow)]
    outcomes = iter(add_prompts(project=call.project, rows=taken, author_name=call.data["author"]))
    stored = [describe(next(outcomes)) if isinstance(row, PromptRow) else refusal(row) for row in rows]
    if new := sum(entry["is_new"] for entry in stored):
        record_audit(actor=call.user, action="prompts.sent", project=call.project, target=f"{new} prompts")
    return {"prompts": stored}


def read_row(sent: dict[str, Any]) -> PromptRow | str:
    """The prompt ready to store, or why it cannot be."""
    try:
        if "text" in sent:
            system, messages = "", [{"role": "user", "content": sent["text"].strip()}]
        else:
            system, messages = parse_messages([dict(turn) for turn in sent["messages"]], "messages")
        system = sent["system"].strip() or system
        check_prompt(system, messages, "messages")
        responses = [
            ReadResponse(check_response(entry["text"], "text"), entry["author"]) for entry in sent["responses"]
        ]
    except RowRefused as error:
        return str(error)
    return PromptRow(
        messages=messages,
        shape="API",
        system=system,
        tags=tuple(dict.fromkeys(sent["tags"])),
        source=sent["source"],
        external_id=sent["external_id"],
        responses=tuple(responses),
    )


def describe(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.prompt.pk if outcome.prompt else None,
        "is_new": outcome.is_new,
        "refused": outcome.reason,
    }


def refusal(reason: str) -> dict[str, Any]:
    return {"id": None, "is_new": False, "refused": reason}


@operation("DELETE", scope=Scope.WRITE, roles=OWNERS, conflicts=True)
def delete_a_prompt(call: Call, pk: int) -> None:
    """Remove a prompt that nothing refers to."""
    prompt = get_in_project(Prompt.objects.visible_to(call.user), call.membership, pk)
    with conflicting(PromptInUse):
        delete_prompt(prompt=prompt, actor=call.user)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=PageQuery, answer=ResponseSerializer, paged=True)
def list_responses(call: Call, pk: int) -> Page:
    """The responses to a prompt, with who wrote them."""
    prompt = get_in_project(Prompt.objects.visible_to(call.user), call.membership, pk)
    return page_of(prompt.responses.select_related("author"), call.query)


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=NewResponsesSerializer,
    answer=StoredResponsesSerializer,
    example={"responses": [{"prompt": 1, "key": "draw-1", "text": "Six minutes.", "author": "my-model"}]},
)
def send_responses(call: Call) -> dict[str, Any]:
    """Store responses to prompts of the project, such as another model's; at most 1,000 at once.

    Responses are known by prompt and key: of two with the same, the first stays.
    """
    sent = call.data["responses"]
    prompts = Prompt.objects.visible_to(call.user).of_project(call.project).in_bulk({entry["prompt"] for entry in sent})
    errors = {number: problems for number, entry in enumerate(sent) if (problems := look_over(entry, prompts))}
    if errors:
        raise Invalid({f"responses.{number}.{name}": text for number, (name, text) in errors.items()})
    names = {entry["author"] for entry in sent}
    authors = {name: get_author(project=call.project, kind=Author.Kind.FILE, name=name) for name in names}
    unsaved = [
        Response(
            prompt=prompts[entry["prompt"]],
            author=authors[entry["author"]],
            **{name: entry[name] for name in ("key", "text", "sampling", "seed", "token_count", "finish_reason")},
        )
        for entry in sent
    ]
    stored = add_responses(responses=unsaved)
    if new := sum(was_added for _, was_added in stored):
        record_audit(actor=call.user, action="responses.sent", project=call.project, target=f"{new} responses")
    return {"responses": [{"id": response.pk, "is_new": was_added} for response, was_added in stored]}


def look_over(entry: dict[str, Any], prompts: dict[int, Prompt]) -> tuple[str, str] | None:
    """(field, what is wrong with it) of a response that cannot be stored."""
    if entry["prompt"] not in prompts:
        return "prompt", f"There is no prompt {entry['prompt']} in this project."
    try:
        check_response(entry["text"], "text")
    except RowRefused as error:
        return "text", str(error)
    return None
