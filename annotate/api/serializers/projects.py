from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotate.api.serializers.fields import Input, PersonSerializer
from annotate.models import AuditEvent, Guideline, Invitation, Membership, Project, Role, Scope

JUDGING = (
    "name",
    "description",
    "scale_points",
    "allow_tie",
    "allow_both_bad",
    "dimensions",
    "rationale",
    "flag_options",
    "overlap",
    "lease_minutes",
    "allow_skip",
)
QUALITY = (
    "must_read_guidelines",
    "qualification_pass",
    "gold_rate",
    "gold_warn_below",
    "gold_pause_below",
    "mirror_rate",
    "show_agreed_answers",
    "reading_warning",
    "show_own_agreement",
)


class ProjectSerializer(serializers.ModelSerializer):
    """What every member knows of a project."""

    class Meta:
        model = Project
        fields = ("id", *JUDGING, "created_at", "archived_at")
        read_only_fields = fields


class ProjectSettingsSerializer(serializers.ModelSerializer):
    """What its owners set besides."""

    class Meta:
        model = Project
        fields = (*JUDGING, *QUALITY, "kind_options")
        read_only_fields = fields


class NewProjectSerializer(Input):
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=2000, allow_blank=True, default="")
    guidelines = serializers.CharField(max_length=100_000, help_text="How people should judge, in Markdown.")


class ProjectChangeSerializer(Input, serializers.ModelSerializer):
    """The settings to change; what is left out stays."""

    class Meta:
        model = Project
        fields = (*JUDGING, *QUALITY)

    def validate_dimensions(self, value: list[str]) -> list[str]:
        return without_repeats(value)

    def validate_flag_options(self, value: list[str]) -> list[str]:
        return without_repeats(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Nothing is to be changed. Name at least one setting.")
        return attrs


def without_repeats(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise serializers.ValidationError(f"“{twice}” is in the list twice. Name each once.")
    return values


class ArchiveSerializer(Input):
    archived = serializers.BooleanField(help_text="An archived project hands out no tasks; nothing is deleted.")


class GuidelineSerializer(serializers.ModelSerializer):
    """One version of a project's instructions, Markdown."""

    class Meta:
        model = Guideline
        fields = ("id", "version", "body", "created_at")
        read_only_fields = fields


class NewGuidelineSerializer(Input):
    body = serializers.CharField(max_length=100_000, trim_whitespace=False)


class MemberSerializer(serializers.ModelSerializer):
    """Somebody in a project, and what they may do there."""

    user = PersonSerializer()

    class Meta:
        model = Membership
        fields = ("id", "user", "role", "guideline_read", "qualified_at", "paused_at", "pause_reason", "created_at")
        read_only_fields = fields


class RoleSerializer(Input):
    role = serializers.ChoiceField(choices=Role.choices)


class InvitationSerializer(serializers.ModelSerializer):
    """An invitation that can still be accepted."""

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "created_at", "expires_at")
        read_only_fields = fields


class NewInvitationSerializer(Input):
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices, default=Role.ANNOTATOR)


class InvitationLinkSerializer(serializers.Serializer):
    """The link into the project. It works once, for seven days, and is told only now."""

    email = serializers.EmailField()
    link = serializers.CharField()


class AuditEventSerializer(serializers.ModelSerializer):
    """Who did what, when."""

    actor = PersonSerializer(allow_null=True)

    class Meta:
        model = AuditEvent
        fields = ("id", "actor", "action", "target", "data", "created_at")
        read_only_fields = fields


class TokenFactsSerializer(serializers.Serializer):
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    project = serializers.IntegerField(source="project_id", allow_null=True)
    expires_at = serializers.DateTimeField()


class OwnMembershipSerializer(serializers.ModelSerializer):
    project = serializers.IntegerField(source="project_id")
    project_name = serializers.CharField(source="project.name")

    class Meta:
        model = Membership
        fields = ("project", "project_name", "role")
        read_only_fields = fields


class MeSerializer(serializers.Serializer):
    """Who is calling, where they belong, and with which token."""

    user = PersonSerializer()
    memberships = OwnMembershipSerializer(many=True)
    token = TokenFactsSerializer(allow_null=True)
