"""Runs: the list, the launch form, the live page, its figures."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership
from annotate.paging import page_of, read_number
from annotate.services.snapshots import SnapshotError, create_snapshot
from training.algorithms.configs import ALGORITHMS, ConfigError
from training.curves import EVAL, TRAIN, charts_of, table_keys, table_rows
from training.figures import facts_of, headline, settings_of
from training.forms import NEW_SNAPSHOT, ConfigForm, LaunchForm
from training.models import Run
from training.pictures import pictures_of
from training.services.alarms import open_alarms
from training.services.registry import ensure_base_models
from training.services.runs import cancel_run, has_best, launch_run, retry_run
from training.turning_point import say_turn
from training.typed import carry_over, hidden_fields

EVENTS_A_PAGE = 2000


@login_required
@require_GET
def project_runs(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    runs = Run.objects.of_project(membership.project).select_related("snapshot", "base_model", "output", "created_by")
    context = {
        "project": membership.project,
        "membership": membership,
        "page": page_of(request, runs),
        "open_alarms": open_alarms(membership.project).count(),
    }
    return render(request, "training/run_list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def run_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    ensure_base_models(membership.project)
    algorithm = known_algorithm(request.GET)
    if "switch" in request.POST:
        data, (launch, config) = None, launch_forms(request, membership, algorithm)
        left = launch_forms(request, membership, known_algorithm(request.POST))
        hidden = carry_over(left, [launch, config], request.POST)
    else:
        data = request.POST if request.method == "POST" else None
        launch, config = launch_forms(request, membership, algorithm, data)
        hidden = hidden_fields([launch, config], request.POST)
    if data is not None and launch.is_valid() and config.is_valid():
        run = launch_from_forms(membership, algorithm, launch, config)
        if run is not None:
            return redirect("run-detail", project_id, run.pk)
    context = {
        "project": membership.project,
        "membership": membership,
        "algorithm": algorithm,
        "algorithms": ALGORITHMS,
        "form": launch,
        "config": config,
        "hidden": hidden,
    }
    return render(request, "training/run_form.html", context, status=422 if data is not None else 200)


def known_algorithm(said: QueryDict) -> str:
    wanted = said.get("algorithm", "")
    return wanted if wanted in ALGORITHMS else next(iter(ALGORITHMS))


def launch_forms(
    request: SignedInRequest, membership: Membership, algorithm: str, data: QueryDict | None = None
) -> tuple[LaunchForm, ConfigForm]:
    """The forms as `?like=` and `?snapshot=` begin them."""
    like, snapshot = find_like(request, membership, algorithm), request.GET.get("snapshot", NEW_SNAPSHOT)
    launch = LaunchForm(membership.project, algorithm, data, like=like, snapshot=snapshot)
    return launch, ConfigForm(algorithm, data, like=like)


def find_like(request: SignedInRequest, membership: Membership, algorithm: str) -> Run | None:
    """The run whose settings the form starts from, when `?like=` names one of this project and algorithm."""
    runs = Run.objects.visible_to(request.user).of_project(membership.project).filter(algorithm=algorithm)
    return runs.filter(pk=read_number(request.GET.get("like"))).select_related("base_model").first()


def launch_from_forms(membership: Membership, algorithm: str, launch: LaunchForm, config: ConfigForm) -> Run | None:
    """Launch what the forms say, its new snapshot included; None, with the errors in the forms, when it cannot be."""
    project, user = membership.project, membership.user
    try:
        with transaction.atomic():
            snapshot = launch.chosen_snapshot() or create_snapshot(project=project, user=user)
            return launch_run(
                project=project,
                user=user,
                algorithm=algorithm,
                snapshot=snapshot,
                base_model=launch.cleaned_data["base_model"],
                config=config.cleaned_data,
                rewards=launch.chosen_rewards(),
                heldout_reward=launch.chosen_watcher(),
                name=launch.cleaned_data["name"],
            )
    except ConfigError as error:
        config.show(error)
    except SnapshotError as error:
        launch.add_error("snapshot", str(error))
    except ValidationError as error:
        launch.add_error(None, error)
    return None


def get_run(request: SignedInRequest, project_id: int, pk: int, roles: tuple = REVIEWERS) -> tuple[Membership, Run]:
    membership = get_membership(request.user, project_id, roles)
    rows = Run.objects.visible_to(request.user).select_related("snapshot", "base_model", "output", "created_by")
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_GET
def run_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, run = get_run(request, project_id, pk)
    figures = list(run.events.filter(kind__in=[TRAIN, EVAL]).order_by("step", "-kind"))
    context = {
        "project": membership.project,
        "membership": membership,
        "run": run,
        "rewards": run.rewards.filter(is_held_out=False).select_related("model").order_by("pk"),
        "watcher": run.rewards.filter(is_held_out=True).select_related("model").first(),
        "headline": headline(run.metrics),
        "pictures": pictures_of(run.metrics),
        "turn": say_turn(figures),
        "settings": settings_of(run.algorithm, run.config),
        "facts": facts_of(run.facts),
        "seconds": (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else None,
        "rows": table_rows(run.algorithm, figures),
        "keys": table_keys(run.algorithm),
        "samples": run.events.filter(kind="sample").order_by("-step")[:3],
        "restarts": run.events.filter(kind="restarted").order_by("id"),
        "alarms": run.alarms.open().order_by("severity", "pk"),
        "has_best": has_best(run),
        "checkpoint": run.events.filter(kind="checkpoint").order_by("-step").first(),
    }
    return render(request, "training/run_detail.html#live" if request.htmx else "training/run_detail.html", context)


@login_required
@require_GET
def run_events(request: SignedInRequest, project_id: int, pk: int) -> JsonResponse:
    """The figures since `?after=`, the id of the last event the caller has; `last` is the next one to ask after."""
    _, run = get_run(request, project_id, pk)
    after = read_number(request.GET.get("after"))
    events = run.events.filter(kind__in=[TRAIN, EVAL], pk__gt=after).order_by("pk")[:EVENTS_A_PAGE]
    rows = list(events.values_list("pk", "kind", "step", "data"))
    return JsonResponse(
        {
            "charts": charts_of(run.algorithm),
            "ended": run.has_ended,
            "total": run.total,
            "last": rows[-1][0] if rows else after,
            "more": len(rows) == EVENTS_A_PAGE,
            "events": [{"kind": kind, "step": step, "data": data} for _, kind, step, data in rows],
        }
    )


@login_required
@require_POST
def run_cancel(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, run = get_run(request, project_id, pk, OWNERS)
    if not cancel_run(run=run, user=membership.user):
        messages.info(request, f"“{run}” has already ended.")
    return redirect("run-detail", project_id, pk)


@login_required
@require_POST
def run_retry(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, run = get_run(request, project_id, pk, OWNERS)
    if not retry_run(run=run, user=membership.user):
        messages.info(request, f"“{run}” is under way or has finished; there is nothing to retry.")
    return redirect("run-detail", project_id, pk)
