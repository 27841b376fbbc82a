"""`manage.py evaluate`, here and on a worker."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotate.models import JobStatus
from tests.factories import make_prompt
from tests.training.factories import make_policy, make_reward_model
from training.models import Evaluation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def policies(project):
    make_prompt(project)
    return make_policy(project, "new"), make_policy(project, "old", seed=1, is_default=False)


def test_it_compares_here_and_says_how_often_the_first_is_preferred(project, policies):
    make_reward_model(project)
    output = StringIO()
    call_command("evaluate", project.name, "new", "old", "--max-tokens", "8", stdout=output)
    evaluation = Evaluation.objects.get()
    assert (evaluation.status, evaluation.count) == (JobStatus.SUCCEEDED, 1)
    assert f"Preferred {evaluation.win_rate:.0%} of 1 times" in output.getvalue()


def test_it_leaves_the_work_to_a_worker_and_says_what_cannot_be(project, policies):
    call_command("evaluate", str(project.pk), "new", "old", "--by", "people", "--queue", stdout=StringIO())
    assert Evaluation.objects.get().status == JobStatus.QUEUED
    with pytest.raises(CommandError, match="No models are named 'newer'"):
        call_command("evaluate", project.name, "newer", "old")
    with pytest.raises(CommandError, match="“old”"):
        call_command("evaluate", project.name, "old", "old")
