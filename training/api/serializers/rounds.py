from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import PageQuery
from annotate.api.serializers.fields import IdField, Input, JobSerializer, PersonSerializer
from training.models import Alarm, Evaluation, Recipe, Round, RoundStep


class EvaluationSerializer(JobSerializer):
    """Two policies set against each other. `win_rate` is the candidate's, a tie half a win, with its 95 % interval."""

    candidate = serializers.IntegerField(source="candidate_id")
    baseline = serializers.IntegerField(source="baseline_id")
    by = serializers.ChoiceField(choices=Evaluation.By.choices)
    judge = serializers.IntegerField(source="judge_id", allow_null=True)
    round = serializers.IntegerField(source="round_id", allow_null=True)
    win_rate = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()
    decision = serializers.ChoiceField(choices=Evaluation.Decision.choices, allow_blank=True)


class NewEvaluationSerializer(Input):
    candidate = IdField()
    baseline = IdField()
    by = serializers.ChoiceField(choices=Evaluation.By.choices, default=Evaluation.By.PEOPLE)
    judge = IdField(required=False, help_text="The reward model that judges; the default one.")
    prompts = serializers.IntegerField(min_value=1, max_value=5000, default=200, help_text="At most; held-out ones.")
    overlap = serializers.IntegerField(min_value=1, max_value=50, default=1)
    margin = serializers.FloatField(min_value=0.01, max_value=0.5, default=0.1)
    temperature = serializers.FloatField(min_value=0, max_value=2, default=0.8)
    top_p = serializers.FloatField(min_value=0.01, max_value=1, default=0.95)
    max_tokens = serializers.IntegerField(min_value=1, max_value=2048, default=256)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class RecipeSerializer(serializers.ModelSerializer):
    """How rounds go and when they begin. `plan` is everything that can be set."""

    plan = serializers.DictField(child=serializers.JSONField())
    created_by = PersonSerializer()

    class Meta:
        model = Recipe
        fields = (
            "id", "name", "plan", "trigger", "every_hours", "times", "enough_judgements", "next_at", "created_by",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class NewRecipeSerializer(Input):
    name = serializers.CharField(max_length=80)
    plan = serializers.DictField(
        child=serializers.JSONField(), default=dict, help_text="Settings of the plan; those left out have defaults."
    )
    trigger = serializers.ChoiceField(choices=Recipe.Trigger.choices, default=Recipe.Trigger.HAND)
    every_hours = serializers.IntegerField(min_value=1, max_value=10_000, default=24)
    times = serializers.CharField(max_length=100, default="0 3 * * *", help_text="Minute, hour, day, month, weekday.")
    enough_judgements = serializers.IntegerField(min_value=1, max_value=10_000_000, default=200)


class RoundStepSerializer(serializers.ModelSerializer):
    """A step of a round, and what it started."""

    snapshot = serializers.IntegerField(source="snapshot_id", allow_null=True)
    run = serializers.IntegerField(source="run_id", allow_null=True)
    generation = serializers.IntegerField(source="generation_id", allow_null=True)

    class Meta:
        model = RoundStep
        fields = ("kind", "status", "error", "snapshot", "run", "generation", "started_at", "finished_at")
        read_only_fields = fields


class RoundSerializer(serializers.ModelSerializer):
    """One turn of the loop."""

    recipe = serializers.IntegerField(source="recipe_id")
    policy_before = serializers.IntegerField(source="policy_before_id")
    started_by = PersonSerializer(allow_null=True)
    steps = RoundStepSerializer(many=True)

    class Meta:
        model = Round
        fields = (
            "id", "number", "recipe", "status", "because", "started_by", "policy_before", "new_judgements", "decision",
            "decision_reason", "steps", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class NewRoundSerializer(Input):
    recipe = IdField()


class PolicySerializer(serializers.Serializer):
    """A policy that the project took into use, and why."""

    id = serializers.IntegerField()
    model = serializers.IntegerField(source="model_id")
    reason = serializers.CharField()
    round = serializers.IntegerField(source="round_id", allow_null=True)
    set_by = PersonSerializer(allow_null=True)
    set_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()


class NewPolicySerializer(Input):
    model = IdField()
    reason = serializers.CharField(max_length=2000)


class AlarmSerializer(serializers.ModelSerializer):
    """Something that a monitor saw go wrong, and what to do about it."""

    run = serializers.IntegerField(source="run_id", allow_null=True)
    round = serializers.IntegerField(source="round_id", allow_null=True)
    acknowledged_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Alarm
        fields = (
            "id", "run", "round", "kind", "severity", "message", "remedy", "facts", "raised_at", "acknowledged_at",
            "acknowledged_by", "note",
        )  # fmt: skip
        read_only_fields = fields


class AlarmQuery(PageQuery):
    open = serializers.BooleanField(default=False, help_text="Only those that nobody has acknowledged.")


class NoteSerializer(Input):
    note = serializers.CharField(max_length=2000, allow_blank=True, default="", help_text="What you made of it.")


class AlarmMailSerializer(Input):
    """Whether you are written to."""

    wanted = serializers.BooleanField()
