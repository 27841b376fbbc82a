"""`manage.py train`, here and on a worker."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotate.models import JobStatus
from tests.training.factories import judge, make_backbone, make_policy
from training.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
SETTINGS = ["--set", "max_steps=1", "--set", "batch_size=2", "--set", "eval_every=0"]


@pytest.fixture
def judged(project, alice):
    judge(project, alice, count=4)
    make_policy(project)
    make_backbone(project)
    return project


@pytest.mark.parametrize("algorithm", ["reward_model", "kto"])
def test_it_trains_here_and_says_where_the_model_is(algorithm, judged):
    output = StringIO()
    call_command("train", judged.name, "--algorithm", algorithm, "--name", "Nightly", *SETTINGS, stdout=output)
    run = Run.objects.get()
    assert (run.status, run.name, run.config["max_steps"]) == (JobStatus.SUCCEEDED, "Nightly", 1)
    assert str(run.output.path()) in output.getvalue()


def test_it_leaves_the_work_to_a_worker_when_told_to(judged):
    call_command("train", str(judged.pk), "--algorithm", "dpo", "--queue", *SETTINGS, stdout=StringIO())
    assert Run.objects.get().status == JobStatus.QUEUED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere", "--algorithm", "dpo"], "No projects are named 'nowhere'"),
        (["Kitchen advice", "--algorithm", "dpo", "--set", "beta=-1"], "Beta cannot be -1: the least is 0.001."),
        (["Kitchen advice", "--algorithm", "dpo", "--set", "beta"], "--set 'beta' has no “=”"),
        (["Kitchen advice", "--algorithm", "dpo", "--model", "tiny-encoder"], "DPO cannot start from “tiny-encoder”"),
        (["Kitchen advice", "--algorithm", "dpo", "--user", "nobody@example.org"], "Nobody has the address"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(judged, options, message):
    with pytest.raises(CommandError, match=message.replace("“", ".").replace("”", ".")):
        call_command("train", *options, stdout=StringIO())
    assert not Run.objects.exists()
