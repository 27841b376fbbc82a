"""What the project's overview shows of training; it loads this as a fragment."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.access import REVIEWERS, SignedInRequest, get_membership
from annotate.models import JobStatus, Project
from training.learning_picture import say_forecast
from training.models import Generation, ModelVersion, RewardReport, Run
from training.services.alarms import open_alarms
from training.services.round_history import as_lines, history_of


def newest_report(project: Project) -> tuple[RewardReport, str] | None:
    """The newest report that can say what more judgements would bring, with the sentence that says it."""
    reports = RewardReport.objects.of_project(project).filter(status=JobStatus.SUCCEEDED).select_related("model")
    report = reports.order_by("-pk").first()
    said = say_forecast(report.figures.get("curve", {})) if report else ""
    return (report, said) if report and said else None


@login_required
@require_GET
def project_training_summary(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    project = membership.project
    context = {
        "project": project,
        "membership": membership,
        "runs": Run.objects.of_project(project).select_related("output").order_by("-id")[:4],
        "generations": Generation.objects.of_project(project).select_related("model").order_by("-id")[:2],
        "report": newest_report(project),
        "line": next(iter(as_lines(history_of(project).order_by("-pk")[:1])), None),
        "alarms": open_alarms(project)[:3],
        "model_count": ModelVersion.objects.of_project(project).count(),
    }
    return render(request, "training/_summary.html", context)
