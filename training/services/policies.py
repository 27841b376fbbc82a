"""The policy a project uses: which it is, taking another into use, and going back to an earlier one."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Project, User
from annotate.services.audit import record_audit
from training.models import ModelVersion, ProjectPolicy, Round
from training.services.registry import default_model, ensure_base_models, make_default

Kind = ModelVersion.Kind
AT_FIRST = "The project began with it."


def current_policy(project: Project) -> ModelVersion:
    """The policy that answers when nobody names another: the default one, or else the oldest."""
    ensure_base_models(project)
    policies = ModelVersion.objects.of_project(project).filter(kind=Kind.POLICY)
    return policies.order_by("-is_default", "pk")[0]


@transaction.atomic
def set_policy(*, model: ModelVersion, reason: str, set_by: User | None = None, round: Round | None = None) -> bool:
    """Take a policy into use and say why; `set_by` None: a round's rule. False when it is in use already.

    Raises ValidationError for a model that writes nothing.
    """
    if model.kind != Kind.POLICY:
        raise ValidationError(
            f"“{model}” is a {model.get_kind_display().lower()}; only a policy can be taken into use."
        )
    project = Project.objects.select_for_update(no_key=True).get(pk=model.project_id)
    before = default_model(project, Kind.POLICY)
    if before is not None and before.pk == model.pk:
        return False
    if before is not None and not ProjectPolicy.objects.of_project(project).exists():
        ProjectPolicy.objects.create(project=project, model=before, reason=AT_FIRST, set_at=before.created_at)
    replace_policy(project, before, model, reason, set_by, round)
    return True


def make_model_default(*, model: ModelVersion, user: User) -> None:
    """Let this model be the one of its kind that is used when nobody names another; a policy's turn is written down."""
    if model.kind == Kind.POLICY:
        set_policy(model=model, reason="Made the default by hand.", set_by=user)
    else:
        make_default(model=model, user=user)


def replace_policy(
    project: Project,
    before: ModelVersion | None,
    model: ModelVersion,
    reason: str,
    set_by: User | None,
    round: Round | None,
) -> None:
    ProjectPolicy.objects.of_project(project).filter(is_current=True).update(is_current=False)
    ProjectPolicy.objects.create(project=project, model=model, reason=reason, round=round, set_by=set_by)
    ModelVersion.objects.of_project(project).filter(kind=Kind.POLICY, is_default=True).update(is_default=False)
    ModelVersion.objects.filter(pk=model.pk).update(is_default=True)
    facts = {"before": before.name if before else "", "after": model.name}
    record_audit(actor=set_by, action="policy.taken_into_use", project=project, target=model, data=facts)


@transaction.atomic
def restore(*, entry: ProjectPolicy, user: User) -> bool:
    """Take an earlier policy of the history into use again. False when it is in use already."""
    return set_policy(
        model=entry.model, set_by=user, reason=f"Restored: it was in use from {entry.set_at:%-d %B %Y, %H:%M}."
    )
