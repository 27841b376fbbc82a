"""What a tiny reward model says of responses: rows written once, by however many."""

import pytest
from django.core.exceptions import ValidationError

from annotate.models import JobStatus, Response
from tests.factories import make_prompt, make_response
from tests.training.factories import make_policy, make_reward_model
from training.models import ResponseScore, Scoring
from training.services.scoring import perform_scoring, score_responses, start_scoring

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def responses(project):
    prompts = [make_prompt(project, f"How long do I boil egg {number}?") for number in range(3)]
    return [make_response(prompt, text) for prompt in prompts for text in ("Seven minutes.", "No.", "Ask a hen.")]


def test_a_score_is_what_the_model_says_of_this_response_alone(project, responses):
    model = make_reward_model(project, heads=3)
    together = score_responses(model, responses)
    assert [score.response_id for score in together] == [response.pk for response in responses]
    assert {len(score.heads) for score in together} == {3}
    assert together[0].mean == pytest.approx(sum(together[0].heads) / 3)
    assert together[0].spread > 0
    ResponseScore.objects.all().delete()
    alone = [score_responses(model, [response])[0].mean for response in reversed(responses)]
    assert alone[::-1] == pytest.approx([score.mean for score in together], abs=1e-5)


def test_scoring_again_writes_nothing_and_finds_the_same_rows(project, responses, django_assert_num_queries):
    model = make_reward_model(project)
    first = score_responses(model, responses[:4])
    again = score_responses(model, responses)
    assert [score.pk for score in again[:4]] == [score.pk for score in first]
    assert ResponseScore.objects.count() == 9
    with django_assert_num_queries(1):
        score_responses(model, responses)


def test_only_a_reward_model_scores(project, alice, responses):
    policy = make_policy(project)
    with pytest.raises(ValueError, match="“tiny” is a policy; only a reward model scores responses."):
        score_responses(policy, responses)
    with pytest.raises(ValidationError, match="“tiny” is not a reward model of this project"):
        start_scoring(project=project, user=alice, model=policy)


def test_a_scoring_goes_on_where_another_ended_and_runs_once(project, alice, responses):
    model = make_reward_model(project)
    score_responses(model, responses[:2])
    scoring = start_scoring(project=project, user=alice, model=model)
    assert start_scoring(project=project, user=alice, model=model) == scoring
    assert scoring.total == 7
    assert (perform_scoring(scoring), perform_scoring(Scoring.objects.get())) == (True, False)
    ended = Scoring.objects.get()
    assert (ended.status, ended.progress, ended.total) == (JobStatus.SUCCEEDED, 7, 7)
    assert ResponseScore.objects.filter(model=model).count() == Response.objects.count()
