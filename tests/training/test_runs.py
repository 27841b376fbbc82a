"""A run from its launch to its model, with the real trainer process."""

import json

import pytest
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from annotate.models import Author, JobStatus
from training.models import ModelVersion, Run
from training.services.execution import train_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_reward_run_leaves_a_model_and_everything_it_said(launch):
    run = launch("reward_model")
    assert train_run(run)

    run.refresh_from_db()
    assert (run.status, run.error) == (JobStatus.SUCCEEDED, "")
    assert run.progress == run.total > 0
    assert run.metrics["accuracy"] is not None
    assert run.facts["data"]["train"]["rows"] == run.snapshot.train_count
    kinds = list(run.events.values_list("kind", flat=True))
    assert kinds.count("train") == run.total
    assert {"start", "eval", "checkpoint", "end"} <= set(kinds)

    model = run.output
    assert (model.kind, model.parent, model.author) == (ModelVersion.Kind.REWARD, run.base_model, None)
    assert "model.safetensors" in model.file_hashes
    assert AutoModelForSequenceClassification.from_pretrained(model.path()).config.num_labels == 1


def test_a_dpo_run_makes_a_policy_that_signs_its_responses(launch):
    run = launch("dpo", samples=2, sample_tokens=4)
    assert train_run(run)

    run.refresh_from_db()
    assert (run.status, run.error) == (JobStatus.SUCCEEDED, "")
    assert run.output.kind == ModelVersion.Kind.POLICY
    assert (run.output.author.kind, run.output.author.name) == (Author.Kind.MODEL, run.name)
    assert AutoModelForCausalLM.from_pretrained(run.output.path()).config.model_type == "llama"
    samples = run.events.filter(kind="sample").order_by("-step").first()
    assert len(samples.data["samples"]) == min(2, run.snapshot.test_count)


def test_a_run_delivered_twice_is_done_once(launch):
    run = launch("reward_model", max_steps=1)
    assert train_run(run)
    assert not train_run(Run.objects.get(pk=run.pk))
    assert ModelVersion.objects.filter(run=run).count() == 1


def test_two_processes_share_a_run_where_the_worker_is_set_so(launch, settings):
    settings.TRAINING_PROCESSES = 2
    run = launch("reward_model", max_steps=2)
    assert train_run(run)
    run.refresh_from_db()
    assert (run.status, run.facts["processes"], run.progress) == (JobStatus.SUCCEEDED, 2, 2)


def test_the_trainer_is_told_what_the_run_says(launch, settings):
    run = launch("reward_model", max_steps=1)
    assert train_run(run)
    told = json.loads((run.directory() / "run.json").read_text())
    assert told["config"] == run.config
    assert told["model"] == str(run.base_model.path())
    assert told["data"] == {"train": "data/train.jsonl", "test": "data/test.jsonl"}
