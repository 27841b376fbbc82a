"""How a person stands in a project: learning, being tested, working, or paused. From their answers to known tasks.

Owners and reviewers work at once. Everybody else does the practice tasks, then the qualification tasks, then works
while enough gold is right. Whoever was at work before there was anything to pass stays at work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from annotate.models import Judgement, Lease, Membership, Purpose, Task
from annotate.prepared import fetch
from annotate.services.audit import record_audit
from annotate.statements import GOLD_ANSWERED

GOLD_WINDOW = 20  # the last so many gold answers count
GOLD_NEEDS = 5  # fewer say nothing yet


class Stage(StrEnum):
    PRACTICE = "practice"
    QUALIFICATION = "qualification"
    FAILED = "failed"  # too few qualification tasks right
    WORK = "work"
    PAUSED = "paused"  # too few gold tasks right


@dataclass(frozen=True)
class Standing:
    """`done` of `whole` tasks of the stage, `right` of them; at work, of the gold that counts."""

    stage: Stage
    done: int = 0
    whole: int = 0
    right: int = 0
    warns: bool = False

    @property
    def share(self) -> float:
        return self.right / self.whole if self.whole else 0.0

    @property
    def may_judge(self) -> bool:
        return self.stage not in (Stage.FAILED, Stage.PAUSED)


def settle_standing(membership: Membership) -> Standing:
    """The standing of a locked membership, with what follows from it written down: qualified, or paused.

    Whoever comes to work while nothing has to be passed counts as qualified from then on.
    """
    standing = read_standing(membership)
    if standing.stage == Stage.PAUSED and not membership.paused_at:
        pause(membership, reason=gold_in_words(standing, membership.project.gold_pause_below))
    elif standing.stage == Stage.WORK and not membership.qualified_at:
        membership.qualified_at = timezone.now()
        membership.save(update_fields=["qualified_at"])
    return standing


def read_standing(membership: Membership) -> Standing:
    """One statement for those at work, two for those on their way there."""
    if membership.may_review:
        return Standing(Stage.WORK)
    if membership.paused_at:
        return Standing(Stage.PAUSED)
    on_the_way = None if membership.qualified_at else read_qualification(membership)
    return on_the_way or read_gold(membership)


def read_qualification(membership: Membership) -> Standing | None:
    """Practice, then qualification, until enough of it is right; None when nothing is left to pass."""
    counts = count_known(membership)
    practised, practice, _ = counts.get(Purpose.PRACTICE, (0, 0, 0))
    if practised < practice:
        return Standing(Stage.PRACTICE, practised, practice)
    done, whole, right = counts.get(Purpose.QUALIFICATION, (0, 0, 0))
    if done < whole:
        return Standing(Stage.QUALIFICATION, done, whole, right)
    if right < membership.project.qualification_pass * whole:
        return Standing(Stage.FAILED, done, whole, right)
    return None


def count_known(membership: Membership) -> dict[str, tuple[int, int, int]]:
    """{purpose: (done, in all, right)} of practice and qualification, for this person."""
    mine = {"task": OuterRef("pk"), "annotator": membership.user_id}
    done = Exists(Lease.objects.filter(**mine, state__in=[Lease.State.DONE, Lease.State.SKIPPED]))
    right = Exists(Judgement.objects.answers().filter(**mine, matches_agreed=True))
    rows = (
        Task.objects.of_project(membership.project)
        .waiting()  # by the queue's index; these tasks have places for everybody
        .filter(purpose__in=[Purpose.PRACTICE, Purpose.QUALIFICATION])
        .values("purpose")
        .annotate(done=Count("pk", filter=Q(done)), whole=Count("pk"), right=Count("pk", filter=Q(right)))
    )
    return {row["purpose"]: (row["done"], row["whole"], row["right"]) for row in rows}


def read_gold(membership: Membership) -> Standing:
    """Work, with a warning or a pause when too few of the last gold answers were right."""
    said = membership.gold_said
    if said is None:
        said = [bool(right) for (right,) in fetch(GOLD_ANSWERED, gold_asked(membership))]
    standing = Standing(Stage.WORK, len(said), len(said), sum(said))
    if len(said) < GOLD_NEEDS:
        return standing
    project = membership.project
    stage = Stage.PAUSED if standing.share < project.gold_pause_below else Stage.WORK
    return Standing(stage, len(said), len(said), sum(said), warns=standing.share < project.gold_warn_below)


def gold_asked(membership: Membership) -> dict[str, Any]:
    """As GOLD_ANSWERED reads it."""
    person = {"user": membership.user_id, "project": membership.project_id}
    return {**person, "most": GOLD_WINDOW, "since": membership.gold_counts_from}


def gold_in_words(standing: Standing, least: float) -> str:
    return (
        f"{standing.right} of the last {standing.whole} answers to tasks whose answer is known were right "
        f"({standing.share * 100:.0f} %); this project asks for {least * 100:.0f} %."
    )


def pause(membership: Membership, *, reason: str) -> None:
    membership.paused_at, membership.pause_reason = timezone.now(), reason
    membership.save(update_fields=["paused_at", "pause_reason"])
    record_audit(
        actor=None,
        action="member.paused",
        project=membership.project,
        target=membership.user,
        data={"reason": reason},
    )
