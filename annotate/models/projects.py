from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from annotate.querysets import InvitationQuerySet, ProjectQuerySet, ScopedQuerySet

DEFAULT_FLAGS = ["fails the task", "made up facts", "unsafe", "personal data"]
SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]
# Largest |preference| of each scale: 8 points are -4..-1, 1..4 (no middle); 5 and 7 have a middle, which is a tie.
SCALE_MAXIMUM = {2: 1, 4: 2, 5: 2, 7: 3, 8: 4}


DEFAULT_DIMENSIONS = ["helpful", "honest", "harmless"]


def default_flags() -> list[str]:
    return list(DEFAULT_FLAGS)


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    REVIEWER = "reviewer", "Reviewer"
    ANNOTATOR = "annotator", "Annotator"


class Project(models.Model):
    """Prompts, people, guidelines and rounds that belong together; nothing crosses its wall."""

    class Scale(models.IntegerChoices):
        TWO = 2, "2 points: A or B"
        FOUR = 4, "4 points"
        FIVE = 5, "5 points with a middle"
        SEVEN = 7, "7 points with a middle"
        EIGHT = 8, "8 points: A A A A | B B B B"

    class Rationale(models.TextChoices):
        OFF = "off", "Not asked"
        OPTIONAL = "optional", "Optional"
        REQUIRED = "required", "Required"

    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    scale_points = models.PositiveSmallIntegerField("preference scale", choices=Scale, default=Scale.EIGHT)
    allow_tie = models.BooleanField("allow a tie", default=True)
    allow_both_bad = models.BooleanField("allow “both bad”", default=True)
    dimensions = ArrayField(models.CharField(max_length=40), default=list, blank=True, size=8)
    rationale = models.CharField(max_length=8, choices=Rationale, default=Rationale.OPTIONAL)
    flag_options = ArrayField(models.CharField(max_length=60), default=default_flags, blank=True, size=20)
    overlap = models.PositiveSmallIntegerField(
        "people per task", default=1, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    lease_minutes = models.PositiveSmallIntegerField(
        "minutes a task stays reserved", default=10, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    kind_options = models.JSONField(default=dict, blank=True)  # {kind: what annotate.kinds.options reads}

    # Getting good labels
    must_read_guidelines = models.BooleanField("ask people to read changed guidelines", default=True)
    qualification_pass = models.FloatField("share of qualification tasks to get right", default=0.7, validators=SHARE)
    gold_rate = models.FloatField("share of gold tasks", default=0.05, validators=SHARE)
    gold_warn_below = models.FloatField("warn below this share of gold right", default=0.7, validators=SHARE)
    gold_pause_below = models.FloatField("pause below this share of gold right", default=0.5, validators=SHARE)
    mirror_rate = models.FloatField("share of mirrored repeats", default=0.0, validators=SHARE)
    show_agreed_answers = models.BooleanField("show the agreed answer after gold", default=False)
    allow_skip = models.BooleanField("let people skip tasks", default=True)
    reading_warning = models.BooleanField("warn when an answer comes faster than reading", default=True)
    show_own_agreement = models.BooleanField("show people how often they agree with others", default=False)

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(scale_points__in=[2, 4, 5, 7, 8]), name="project_scale_known"),
            models.CheckConstraint(condition=Q(overlap__gte=1), name="project_overlap_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def preference_values(self) -> list[int]:
        """The values the scale offers, strongest A first: 8 points give -4 -3 -2 -1 1 2 3 4. A middle is the tie 0."""
        strongest = SCALE_MAXIMUM[self.scale_points]
        values = [value for value in range(-strongest, strongest + 1) if value]
        return sorted([*values, 0]) if self.scale_points % 2 else values

    def accepts_tie(self) -> bool:
        return self.allow_tie or self.scale_points % 2 == 1


class Membership(models.Model):
    """A user's role in a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=9, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    guideline_read = models.PositiveIntegerField(default=0, editable=False)  # the version this person has read
    qualified_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    gold_counts_from = models.DateTimeField(null=True, blank=True, editable=False)  # when a pause was last lifted
    questionnaire_consent_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_alarms = models.BooleanField(default=False, editable=False)  # asked to be written to

    newest_guideline: int | None = None  # the version, where it was read along (annotate.access)
    gold_said: list[bool] | None = None  # whether the last answers to gold were right, where it was read along

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_one_per_project_and_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"

    @property
    def is_owner(self) -> bool:
        return self.role == Role.OWNER

    @property
    def may_review(self) -> bool:
        return self.role in (Role.OWNER, Role.REVIEWER)


class Invitation(models.Model):
    """A single-use link into a project, or, without a project, to becoming the first owner of the site.

    Only the SHA-256 of the token is kept.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations", null=True, blank=True)
    email = models.EmailField("e-mail", blank=True)
    role = models.CharField(max_length=9, choices=Role, default=Role.ANNOTATOR)
    grants_staff = models.BooleanField(default=False)
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True, blank=True
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "project",
                Lower("email"),
                condition=Q(accepted_at=None, revoked_at=None, project__isnull=False),
                name="invitation_one_open_per_address",
            ),
            models.CheckConstraint(
                condition=Q(project__isnull=False) | Q(grants_staff=True), name="invitation_leads_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"invitation of {self.email or 'the first owner'}"

    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class Guideline(models.Model):
    """One version of a project's instructions, Markdown. Every judgement knows the version it was made under."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    body = models.TextField(max_length=100_000)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "version"], name="guideline_version_unique")
        ]

    def __str__(self) -> str:
        return f"guidelines of {self.project}, version {self.version}"


class AuditEvent(models.Model):
    """Who did what to which object, when. Never changed or deleted."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit_events", null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="audit_event_newest")]

    def __str__(self) -> str:
        return f"{self.actor or 'the system'}: {self.action} {self.target}"
