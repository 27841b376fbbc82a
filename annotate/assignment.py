"""The queue: who holds which task. The only writer of `Lease.state` and `Task.remaining`.

Every function is short. Locks are taken in one order, membership, lease, task, so that no two of them wait for each
other: a new lease's row does not exist before its task is locked, and nobody else can want it. They leave keys alone
(NO KEY): a row that refers to the task may be stored meanwhile, as every answer does when it is committed.
`remaining` = required judgements − held leases − current answers that are not surplus.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.utils import timezone

from annotate.models import Judgement, Lease, Membership, Project, Purpose, Task, User
from annotate.prepared import fetch, load, width
from annotate.selection import FRONT_LENGTH, ask_for_task
from annotate.standing import Stage, Standing, gold_asked, settle_standing
from annotate.statements import FILL_HELD_PLACE, HOLD_SHOWN, IN_HAND, TURN, load_lease, take_place

GIVEN_BACK = (Lease.State.RETURNED, Lease.State.EXPIRED)
OPEN = (Lease.State.HELD, *GIVEN_BACK)
ANSWER_DECIDES = (Purpose.PRACTICE, Purpose.QUALIFICATION)  # what comes after them
SWEPT_AT_ONCE = 2_000

# The task in hand, how the person stands, and the task held ahead of the one that the page shows already.
HandedOut = tuple[Lease | None, Standing, Lease | None]


def lease_next(*, user: User, project: Project, shown: int = 0) -> Lease | None:
    """Hold the next task for this person: the one they hold already, the one they gave back, else the queue's first.

    None when nothing is waiting for them, or they may not judge (`annotate.standing`). `shown` is the number of the
    lease that their page shows already, which comes first while it can be held. The person's own tabs take turns at
    their membership's row; other people pass each other by (SKIP LOCKED), and only somebody who found nothing waits for
    a place that another is moving.
    """
    return hand_out(user=user, project=project, shown=shown)[0]


def hand_out(*, user: User, project: Project, shown: int = 0) -> tuple[Lease | None, Standing]:
    """`lease_next`, and how the person stands; nothing comes out of an archived project."""
    with transaction.atomic():
        lease, standing = _hand_out(take_turn(user, project), shown)
    return wait_for_place(user, project, (lease, standing, None))[:2]


def hand_out_two(*, user: User, project: Project, shown: int) -> HandedOut:
    """`hand_out`, and, when the page shows that very task already, `lease_ahead` of it in the same turn."""
    with transaction.atomic():
        handed = hand_out_in_turn(take_turn(user, project), shown)
    return wait_for_place(user, project, handed)


def hand_out_in_turn(membership: Membership, shown: int) -> HandedOut:
    """`hand_out_two` for whoever has taken the turn; what somebody else is moving just now is passed by.

    When nothing came of it, `wait_for_place` is to follow, after this transaction."""
    lease, standing = _hand_out(membership, shown)
    return lease, standing, _lease_ahead(membership, lease) if lease and lease.pk == shown else None


def wait_for_place(user: User, project: Project, handed: HandedOut) -> HandedOut:
    """What was handed out; or else, for a person who may judge, what is left once others have let go of it.

    In a transaction of its own, since whoever waits for a task must hold none: a row that turned out to be taken stays
    locked for as long as the transaction in which it was looked at.
    """
    lease, standing, _ = handed
    if lease or project.archived_at or not standing.may_judge:
        return handed
    with transaction.atomic():
        return *_hand_out(take_turn(user, project), 0, waits=True), None


@transaction.atomic
def lease_ahead(*, user: User, project: Project, after: Lease) -> Lease | None:
    """Hold the task that comes after the one in hand, for a page to have it ready.

    It is held like any other: it takes a place, it runs out, and it is handed back with the page. None when nothing
    waits, or when what comes next depends on the answer to this one.
    """
    return _lease_ahead(take_turn(user, project), after)


def _hand_out(membership: Membership, shown: int, *, waits: bool = False) -> tuple[Lease | None, Standing]:
    if membership.project.archived_at:
        return None, settle_standing(membership)
    own, standing = _hold_shown(membership, shown), settle_standing(membership)
    if not standing.may_judge:
        return None, standing
    own = own or _hold_own(membership.user, membership.project, shown=shown)
    return own or _hold_new(membership, standing.stage, waits=waits), standing


def _lease_ahead(membership: Membership, after: Lease) -> Lease | None:
    project = membership.project
    if project.archived_at or project.show_agreed_answers or after.task.purpose in ANSWER_DECIDES:
        return None
    own = None if after.is_alone else _hold_own(membership.user, project, after=after.pk)
    return own or _hold_new(membership, Stage.WORK, is_ahead=True)


def take_turn(user: User, project: Project) -> Membership:
    """The person's membership, locked: their tabs hand out and answer one after another."""
    rows = fetch(TURN, {"user": user.pk, "project": project.pk})
    if not rows:
        raise Membership.DoesNotExist(f"{user} is no member of {project}.")
    membership = load(Membership, rows[0][: width(Membership)])
    membership.user, membership.project = user, project
    return membership


def _hold_shown(membership: Membership, shown: int) -> Lease | None:
    """What the page shows, when the person holds it still: the first of what `_hold_own` would choose.

    It brings what their standing is read from, and is held whatever that is: it was theirs before."""
    project = membership.project
    values = {**gold_asked(membership), "shown": shown, "until": _held_until(project)}
    for row in fetch(HOLD_SHOWN, values) if shown else ():
        lease = load(Lease, row[: width(Lease)])
        lease.task, lease.is_alone, membership.gold_said = load(Task, row[width(Lease) : -2]), *row[-2:]
        lease.task.project = project
        return lease
    return None


def _hold_own(user: User, project: Project, *, shown: int = 0, after: int = 0) -> Lease | None:
    """Hold again what the person had in hand: what the page shows, what was shown before, what was held ahead.

    With `after`, the number of the lease whose answer is awaited, it is held ahead unless it has been shown."""
    rows = fetch(IN_HAND, {"user": user.pk, "project": project.pk, "after": after})
    if not rows:
        return None
    wanted, *_ = min(rows, key=lambda row: _wish(*row, shown=shown))
    leases = Lease.objects.select_related("task__prompt").select_for_update(of=("self",))
    lease = leases.filter(pk=wanted, state__in=OPEN, task__closed_at=None).first()
    if lease is None:
        return None
    lease.task.project = project
    lease.is_ahead = bool(after) and (lease.is_ahead or lease.state != Lease.State.HELD)
    return lease if _hold(lease, project) else None


def _wish(pk: int, state: str, is_ahead: bool, leased_at: datetime, *, shown: int) -> tuple[bool, bool, bool, float]:
    """The smallest is held again first: the page's own, then what is held, each what was shown before, the newest."""
    return pk != shown, state != Lease.State.HELD, is_ahead, -leased_at.timestamp()


def _hold_new(membership: Membership, stage: Stage, *, is_ahead: bool = False, waits: bool = False) -> Lease | None:
    project, asked = membership.project, ask_for_task(membership, stage)
    asked |= {"is_ahead": is_ahead, "now": timezone.now(), "until": _held_until(project)}
    for most in (None,) if waits else (FRONT_LENGTH, None):
        if rows := fetch(take_place(most=most, skip_locked=not waits), asked):
            lease = load_lease(rows, membership.user, project)
            lease.is_fresh = True
            return lease
    return None


def _hold(lease: Lease, project: Project) -> bool:
    """Hold a locked lease for another while; False when it was given back and its place has gone."""
    if lease.state != Lease.State.HELD and not (lease.state in GIVEN_BACK and _take_place(lease)):
        return False
    lease.state, lease.expires_at = Lease.State.HELD, _held_until(project)
    lease.save(update_fields=["state", "expires_at", "is_ahead"])
    return True


@transaction.atomic
def extend_lease(*, lease: Lease) -> bool:
    """The heartbeat: hold the task for another while, also one that lapsed while its place is still free.

    `lease` is brought up to date. False when the task is judged, skipped, closed, or the place has gone.
    """
    locked = lock_lease(lease)
    extended = _hold(locked, locked.task.project)
    lease.state, lease.expires_at = locked.state, locked.expires_at
    return extended


@transaction.atomic
def return_lease(*, lease: Lease, held_until: datetime | None = None) -> bool:
    """Hand a held task back. With `held_until`, only if nobody has extended the lease since the page saw that time:
    the last word of a page that closes may arrive after the first of the page that replaced it.

    It waits its turn at the person's membership, so that a page opened meanwhile finds the task held or handed back,
    and never between the two.
    """
    holder = Membership.objects.filter(user=lease.annotator_id, project__tasks=lease.task_id)
    list(holder.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    locked = lock_lease(lease)
    if locked.state != Lease.State.HELD or held_until not in (None, locked.expires_at):
        return False
    _free_place(locked)
    _move(locked, Lease.State.RETURNED)
    return True


@transaction.atomic
def return_expired_leases() -> int:
    """Hand back what is held past its time; returns how many. Rows that somebody is using just now are left alone."""
    expired = Lease.objects.expired().order_by("task_id", "pk").select_for_update(skip_locked=True)
    rows = list(expired.values_list("pk", "task_id")[:SWEPT_AT_ONCE])
    leases, tasks = [pk for pk, _ in rows], sorted({task for _, task in rows})
    Lease.objects.filter(pk__in=leases).update(state=Lease.State.EXPIRED)
    freed = Lease.objects.filter(pk__in=leases, task=OuterRef("pk")).values("task").annotate(n=Count("pk")).values("n")
    list(
        Task.objects.select_for_update(no_key=True).filter(pk__in=tasks).order_by("pk").values_list("pk")
    )  # one lock order
    Task.objects.filter(pk__in=tasks).update(remaining=F("remaining") + Subquery(freed))
    return len(rows)


@transaction.atomic
def set_required_judgements(*, task: Task, required: int) -> None:
    """Have `required` people judge the task from now on. Raises ValueError when more have judged or hold it already.

    What is taken is counted in one statement under the task's lock, so that an answer given meanwhile counts once.
    """
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    held = Q(leases__state=Lease.State.HELD)
    filled = Q(judgements__is_current=True, judgements__outcome="answer", judgements__is_surplus=False)
    filled &= Q(judgements__is_adjudication=False)
    counted = Task.objects.filter(pk=task.pk).annotate(
        taken=Count("leases", filter=held, distinct=True) + Count("judgements", filter=filled, distinct=True)
    )
    taken = counted.values_list("taken", flat=True).get()
    if required < max(taken, 1):
        raise ValueError(f"{required} is too few: {taken} people have judged this task or hold it now.")
    task.required_judgements, task.remaining = required, required - taken
    task.save(update_fields=["required_judgements", "remaining"])


def lock_lease(lease: Lease) -> Lease:
    """The lease as it is now, locked until the transaction ends."""
    return (
        Lease.objects.select_for_update(of=("self",)).select_related("task__project", "task__prompt").get(pk=lease.pk)
    )


def fill_held_place(*, lease: Lease, submission_id: UUID) -> tuple[bool, int | None]:
    """A held lease of which nothing was said → judged, in one statement that locks it, as nearly every answer does.

    Returns whether it was so, and the number of the guidelines the answer is given under.
    """
    values = {"lease": lease.pk, "project": lease.task.project_id, "submission": submission_id}
    for (guideline,) in fetch(FILL_HELD_PLACE, values):
        lease.state = Lease.State.DONE
        return True, guideline
    return False, None


def fill_place(*, lease: Lease, previous: Judgement | None) -> bool:
    """A locked lease → judged. Returns whether the answer is surplus: late, with no place left for it.

    `previous` is the current judgement it replaces; an answer in place of an answer keeps that one's place.
    """
    if lease.state == Lease.State.DONE:
        return previous is not None and previous.is_surplus
    has_place = lease.state == Lease.State.HELD or _take_place(lease)
    _move(lease, Lease.State.DONE)
    return not has_place


def leave_place(*, lease: Lease, previous: Judgement | None) -> None:
    """A locked lease → skipped: its place, if it has one, is for somebody else."""
    if lease.state == Lease.State.HELD or _counts(lease, previous):
        _free_place(lease)
    _move(lease, Lease.State.SKIPPED)


def reopen_place(*, lease: Lease, previous: Judgement) -> bool:
    """A locked lease whose judgement was taken back → held again, same sides, first in this person's queue.

    False when the place has gone to somebody else meanwhile; then it counts as expired.
    """
    reopened = _counts(lease, previous) or _take_place(lease)
    lease.leased_at, lease.expires_at = timezone.now(), _held_until(lease.task.project)
    lease.state = Lease.State.HELD if reopened else Lease.State.EXPIRED
    lease.save(update_fields=["state", "leased_at", "expires_at"])
    return reopened


def _counts(lease: Lease, judgement: Judgement | None) -> bool:
    """Whether this judgement fills one of the task's places."""
    return lease.state == Lease.State.DONE and judgement is not None and not judgement.is_surplus


def _take_place(lease: Lease) -> bool:
    free = Task.objects.waiting().filter(pk=lease.task_id)
    return bool(free.update(remaining=F("remaining") - 1))


def _free_place(lease: Lease) -> None:
    Task.objects.filter(pk=lease.task_id).update(remaining=F("remaining") + 1)


def _move(lease: Lease, state: str) -> None:
    lease.state = state
    lease.save(update_fields=["state"])


def _held_until(project: Project) -> datetime:
    return timezone.now() + timedelta(minutes=project.lease_minutes)
