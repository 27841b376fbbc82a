"""Tasks made by hand: a kind, some prompts, and their responses in groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Case, Count, Exists, F, Func, IntegerField, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from annotate.models import Author, Kind, Project, Prompt, Response, Task, User
from annotate.querysets import PromptQuerySet
from annotate.services.audit import record_audit
from annotate.services.tasks import SIZES, Candidate, Item, create_tasks

MOST_AT_ONCE = 5_000
PROMPTS_AT_ONCE = 500
USUAL_SIZES = {Kind.COMPARISON: 2, Kind.RANKING: 4, Kind.RATING: 2, Kind.DEMONSTRATION: 0, Kind.EDIT: 1, Kind.SPANS: 1}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`size` responses a task; `only_new` leaves out prompts that have a task of this kind already; `with_written`
    takes what people wrote besides what models and files brought."""

    kind: Kind
    size: int
    tag: str = ""
    only_new: bool = True
    with_written: bool = False


@dataclass(frozen=True)
class Preview:
    prompts: int
    tasks: int
    too_few: int  # prompts without enough responses

    @property
    def now(self) -> int:
        """How many are made at once."""
        return min(self.tasks, MOST_AT_ONCE)


def count_new_tasks(*, project: Project, plan: Plan) -> Preview:
    """What the plan would make. One statement."""
    prompts = plan_prompts(project, plan)
    if plan.kind == Kind.DEMONSTRATION:
        count = prompts.count()
        return Preview(prompts=count, tasks=count, too_few=0)
    trimmed = Func(F("responses__text"), Value(" \n\r\t"), function="BTRIM")
    different = Func(trimmed, function="MD5")
    usable = Count(different, distinct=True, filter=usable_responses(plan, "responses__"))
    counted = prompts.annotate(usable=usable).aggregate(
        prompts=Count("pk"),
        tasks=Coalesce(Sum(F("usable") / Value(plan.size), output_field=IntegerField()), 0),
        too_few=Coalesce(Sum(Case(When(usable__lt=plan.size, then=1), default=0)), 0),
    )
    return Preview(**counted)


@transaction.atomic
def create_new_tasks(*, project: Project, plan: Plan, actor: User, overlap: int, priority: int) -> int:
    """Make at most 5,000 tasks, those of the oldest prompts first; returns how many are new.

    The same plan again makes nothing twice; with `only_new` it goes on where it ended.
    """
    items = islice(plan_items(project, plan), MOST_AT_ONCE)
    made = create_tasks(
        project=project, kind=plan.kind, items=items, overlap=overlap, priority=priority, key_prefix="page"
    )
    if made:
        data = {"kind": plan.kind.value, "tasks": made, "responses": plan.size, "tag": plan.tag, "people": overlap}
        record_audit(actor=actor, action="tasks.created", project=project, target=f"{made} tasks", data=data)
    return made


def plan_prompts(project: Project, plan: Plan) -> PromptQuerySet:
    prompts = Prompt.objects.of_project(project).tagged(plan.tag)
    if plan.only_new:
        prompts = prompts.filter(~Exists(Task.objects.filter(prompt=OuterRef("pk"), kind=plan.kind)))
    return prompts


def usable_responses(plan: Plan, path: str = "") -> Q:
    """Responses with a text, by the authors the plan takes."""
    written = Q() if plan.with_written else ~Q(**{f"{path}author__kind": Author.Kind.PERSON})
    return Q(**{f"{path}text__regex": r"\S"}) & written


def plan_items(project: Project, plan: Plan) -> Iterator[Item]:
    """Prompt by prompt, the oldest first; a prompt's responses in the order they came, none twice."""
    ids = iter(list(plan_prompts(project, plan).order_by("pk").values_list("pk", flat=True)))
    while batch := list(islice(ids, PROMPTS_AT_ONCE)):
        responses = different_responses(batch, plan)
        for prompt in batch:
            yield from group_responses(prompt, responses.get(prompt, []), plan)


def different_responses(prompts: Sequence[int], plan: Plan) -> dict[int, list[Candidate]]:
    found: dict[int, dict[str, Candidate]] = defaultdict(dict)
    usable = Response.objects.filter(usable_responses(plan), prompt__in=prompts).order_by("pk")
    for candidate in map(Candidate._make, usable.values_list(*Candidate._fields)):
        found[candidate.prompt_id].setdefault(candidate.text.strip(), candidate)
    return {prompt: list(responses.values()) for prompt, responses in found.items()}


def group_responses(prompt: int, responses: Sequence[Candidate], plan: Plan) -> Iterator[Item]:
    """Neighbours together; those left over are too few for a task. A demonstration takes what suggestions there are."""
    if plan.kind == Kind.DEMONSTRATION:
        yield Item(prompt, tuple(responses[: plan.size]))
        return
    for start in range(0, len(responses) - plan.size + 1, plan.size):
        yield Item(prompt, tuple(responses[start : start + plan.size]))


def allowed_sizes(kind: Kind) -> range:
    return SIZES[kind]
