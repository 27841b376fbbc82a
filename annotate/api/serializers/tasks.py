from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotate.api.answers import stored_answer
from annotate.api.paging import PageQuery
from annotate.api.serializers.fields import IdField, Input, PersonSerializer
from annotate.imports.shapes import MAX_TAG
from annotate.models import Judgement, Kind, Purpose, Task
from annotate.models.tasks import EVALUATION_KEYS
from annotate.services.task_admin import MOST_PEOPLE

MOST_AT_ONCE = 1000
STATES = ("open", "held", "done", "closed")


class TaskSerializer(serializers.ModelSerializer):
    """One thing to judge. `remaining` places are free, `held` are in somebody's hands, `answered` are filled."""

    prompt = serializers.IntegerField(source="prompt_id")
    responses = serializers.SerializerMethodField()
    held = serializers.IntegerField()
    answered = serializers.IntegerField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Task
        fields = (
            "id", "kind", "purpose", "prompt", "responses", "key", "priority", "required_judgements", "remaining",
            "held", "answered", "state", "closed_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_responses(self, task: Task) -> list[int]:
        return [place.response_id for place in sorted(task.places.all(), key=lambda place: place.position)]

    def get_state(self, task: Task) -> str:
        if task.closed_at:
            return "closed"
        if self.held_of(task):
            return "held"
        return "open" if task.remaining else "done"

    def held_of(self, task: Task) -> int:
        return int(task.__dict__["held"])


class TaskQuery(PageQuery):
    state = serializers.ChoiceField(choices=STATES, required=False)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    purpose = serializers.ChoiceField(choices=Purpose.choices, required=False)
    prompt = IdField(required=False)


class NewTaskSerializer(Input):
    """A prompt and the responses to judge, in the task's own order."""

    prompt = IdField()
    responses = serializers.ListField(child=IdField(), max_length=9, default=list)


class NewTasksSerializer(Input):
    kind = serializers.ChoiceField(choices=Kind.choices, default=Kind.COMPARISON)
    tasks = serializers.ListField(child=NewTaskSerializer(), min_length=1, max_length=MOST_AT_ONCE)
    overlap = serializers.IntegerField(
        min_value=1, max_value=MOST_PEOPLE, required=False, help_text="People to judge each; the project's own number."
    )
    priority = serializers.IntegerField(min_value=-1000, max_value=1000, default=0)
    key_prefix = serializers.SlugField(
        max_length=40, default="api", help_text="The same responses are queued once for each prefix."
    )

    def validate_key_prefix(self, prefix: str) -> str:
        if prefix.startswith(EVALUATION_KEYS):
            raise serializers.ValidationError(f"{prefix!r} is kept for evaluations of models. Choose another prefix.")
        return prefix


class TaskPlanSerializer(Input):
    """Tasks out of the responses that prompts have: neighbours together, each text once."""

    kind = serializers.ChoiceField(choices=Kind.choices, default=Kind.COMPARISON)
    size = serializers.IntegerField(min_value=0, max_value=9, required=False, help_text="Responses a task.")
    tag = serializers.CharField(max_length=MAX_TAG, allow_blank=True, default="")
    only_new = serializers.BooleanField(default=True, help_text="Leave out prompts that have a task of this kind.")
    with_written = serializers.BooleanField(default=False, help_text="Take what people wrote here besides.")
    overlap = serializers.IntegerField(min_value=1, max_value=MOST_PEOPLE, required=False)
    priority = serializers.IntegerField(min_value=-1000, max_value=1000, default=0)


class QueuedSerializer(serializers.Serializer):
    queued = serializers.IntegerField(help_text="How many are new.")


class TaskChangeSerializer(Input):
    required_judgements = serializers.IntegerField(min_value=1, max_value=MOST_PEOPLE)
    closed = serializers.BooleanField()


class JudgementQuery(PageQuery):
    task = IdField(required=False)
    annotator = IdField(required=False)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    current = serializers.BooleanField(
        default=True, help_text="Only what stands; false: what was corrected or taken back too."
    )


class JudgementSerializer(serializers.ModelSerializer):
    """What somebody said about a task. `answer` names responses by their ids; its fields are the kind's."""

    task = serializers.IntegerField(source="task_id")
    annotator = PersonSerializer(allow_null=True)
    guideline = serializers.IntegerField(source="guideline.version", allow_null=True, default=None)
    supersedes = serializers.IntegerField(source="supersedes_id", allow_null=True)
    answer = serializers.SerializerMethodField()

    class Meta:
        model = Judgement
        fields = (
            "id", "task", "kind", "annotator", "external_annotator", "guideline", "outcome", "skip_reason",
            "rationale", "flags", "active_seconds", "supersedes", "is_current", "is_adjudication", "is_surplus",
            "answer", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_answer(self, judgement: Judgement) -> dict[str, Any] | None:
        return stored_answer(judgement)
