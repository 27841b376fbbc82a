from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import LARGEST
from annotate.api.serializers.fields import IdField
from annotate.api.serializers.statistics import ShareSerializer
from annotate.leaderboards.bradley_terry import DAVIDSON, HALF, RAO_KUPPER


class LeaderboardQuery(serializers.Serializer):
    """What the leaderboard is about; everything may be left out."""

    tag = serializers.CharField(max_length=60, required=False, help_text="Prompts with this tag, a frequent one.")
    group = serializers.CharField(
        max_length=200, required=False, help_text="People told apart by a question: `3:Every day`; never fewer than 5."
    )
    ties = serializers.ChoiceField(choices=[RAO_KUPPER, DAVIDSON, HALF], default=RAO_KUPPER)
    judge = IdField(required=False, help_text="The reward model beside people: the default one.")


class GamesQuery(LeaderboardQuery):
    author = serializers.IntegerField(
        min_value=0, max_value=LARGEST, default=0, help_text="An author of the leaderboard; 0 is what people wrote."
    )
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)
    cursor = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False)


class IntervalSerializer(serializers.Serializer):
    """A figure with its 95 % interval."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class WinRateSerializer(IntervalSerializer):
    points = serializers.FloatField(help_text="A tie is half a point.")
    count = serializers.IntegerField()


class LineSerializer(serializers.Serializer):
    """An author's place: 1 + the number of those who are surely better. 100 points more mean preferred 64 times of 100.
    The author 0 is whatever people wrote."""

    author = serializers.IntegerField(source="standing.key")
    name = serializers.CharField(source="standing.name")
    rank = serializers.IntegerField(source="standing.rank")
    score = IntervalSerializer(source="standing.score")
    controlled = IntervalSerializer(source="standing.controlled", allow_null=True, help_text="Style apart.")
    win_rate = WinRateSerializer(source="standing.rate")
    rewarded = WinRateSerializer(allow_null=True, help_text="The reward model's, where it has scored both responses.")
    same = WinRateSerializer(allow_null=True, help_text="People's, on those same comparisons.")


class StyleWeightSerializer(serializers.Serializer):
    feature = serializers.CharField()
    preferred = IntervalSerializer(source="share", help_text="How often the response with more of it is preferred.")


class LeagueSerializer(serializers.Serializer):
    """Authors who were compared with each other, directly or through others."""

    lines = LineSerializer(many=True)
    style_weights = StyleWeightSerializer(many=True, source="style")
    comparisons = serializers.IntegerField()
    is_held = serializers.BooleanField(help_text="A drawn game was added for each: somebody never lost or never won.")


class LeaderboardSerializer(serializers.Serializer):
    """`agreement` is how often the reward model prefers what people preferred, over `scored` of `pairs`."""

    leagues = LeagueSerializer(many=True)
    with_itself = serializers.IntegerField(help_text="Comparisons of two responses by one author, left out.")
    is_cut = serializers.BooleanField(help_text="There are more judgements than the newest that are counted.")
    judge = serializers.IntegerField(allow_null=True)
    agreement = ShareSerializer(allow_null=True)
    scored = serializers.IntegerField()
    pairs = serializers.IntegerField()


class GameSerializer(serializers.Serializer):
    """A comparison that counts, seen from its author: 1 point preferred, 0 not, ½ a tie."""

    judgement = serializers.IntegerField()
    task = serializers.IntegerField()
    prompt = serializers.IntegerField()
    response = serializers.IntegerField()
    against = serializers.IntegerField(help_text="The other response.")
    other = serializers.IntegerField(help_text="Its author.")
    points = serializers.FloatField()
    weight = serializers.FloatField()
