"""The exports do what they are for: they load in `datasets`, train in TRL and are read by our own trainer."""

import uuid

import pytest
import torch
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer

from annotate.exports.forms import FORMS
from annotate.exports.lines import export_lines
from annotate.models import Demonstration, Judgement
from annotate.services.snapshots import create_snapshot
from tests.factories import make_judgement, make_prompt, make_response, make_task
from tests.tiny_models import build_policy
from tests.writing_factories import make_text_task
from training.algorithms.groups import parse_group
from training.algorithms.labels import Pair, Tie


@pytest.fixture
def snapshot(project, alice, carol):
    for number, preference in enumerate((-4, -2, 1, 3, 0, -1, None, 2)):
        prompt = make_prompt(project, f"How long do I boil {number} eggs?", system="Be brief." if number % 2 else "")
        make_judgement(make_task(project, prompt=prompt), carol, preference)
    return create_snapshot(project=project, user=alice, test_fraction=0.0)


@pytest.fixture
def load(snapshot, tmp_path):
    def load_form(form):
        path = tmp_path / f"{form}.jsonl"
        path.write_text("".join(export_lines(snapshot, form)), encoding="utf-8")
        return load_dataset("json", data_files=str(path), cache_dir=str(tmp_path / "cache"), split="train")

    return load_form


def training_arguments(kind, folder, **options):
    return kind(
        output_dir=str(folder),
        max_steps=2,
        per_device_train_batch_size=2,
        learning_rate=1e-3,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        bf16=False,
        disable_tqdm=True,
        **options,
    )


def test_every_form_loads_in_datasets(load):
    empty = {"sft", "openai-sft", "helpsteer", "ultrafeedback"}  # nobody has written or rated anything
    pairs = dict.fromkeys(("trl-conversational", "trl", "hh", "openai-dpo", "ultrafeedback-binarized"), 6)
    rows = {form: load(form).num_rows for form in FORMS.keys() - empty}
    others = {"unpaired": 14, "prompts": 8, "argilla": 7, "comparisons": 8, "groups": 7, "lossless": 8}
    assert rows == {**pairs, **others}
    assert load("trl-conversational")[0]["chosen"][0]["role"] == "assistant"


def test_our_trainer_reads_the_groups_as_they_were_meant(snapshot):
    groups = [parse_group(line) for line in export_lines(snapshot, "groups")]
    labels = sorted((group.label for group in groups), key=repr)
    pairs = [Pair(0, 1, 0.25), Pair(0, 1, 0.5), Pair(0, 1, 1.0), Pair(1, 0, 0.25), Pair(1, 0, 0.5), Pair(1, 0, 0.75)]
    assert labels == [*pairs, Tie()]
    assert {group.system for group in groups} == {"", "Be brief."}
    assert {group.completions for group in groups} == {("Seven minutes.", "It depends on the size.")}


@pytest.mark.parametrize("form", ["trl", "trl-conversational"])
def test_two_steps_of_trl_change_a_policy_and_a_reward_model(load, tmp_path, form):
    torch.set_num_threads(1)
    folder = build_policy(tmp_path / "policy")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = load(form)

    policy, reference = (AutoModelForCausalLM.from_pretrained(folder) for _ in range(2))
    trainer = DPOTrainer(
        model=policy,
        ref_model=reference,
        args=training_arguments(DPOConfig, tmp_path / "dpo"),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 2
    assert changed(policy, reference)

    scorer = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
    before = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
    trainer = RewardTrainer(
        model=scorer,
        args=training_arguments(RewardConfig, tmp_path / "reward"),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 2
    assert changed(scorer.model, before.model)


def test_supervised_lines_train_in_trl(project, alice, carol, tmp_path):
    torch.set_num_threads(1)
    for number in range(2):
        task = make_text_task(project, "demonstration", prompt=f"How long do I boil {number} eggs?")
        judgement = Judgement.objects.create(
            project=project,
            task=task,
            kind=task.kind,
            annotator=carol,
            outcome="answer",
            submission_id=uuid.uuid4(),
        )
        Demonstration.objects.create(judgement=judgement, response=make_response(task.prompt, "Seven minutes."))
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    path = tmp_path / "sft.jsonl"
    path.write_text("".join(export_lines(snapshot, "sft")), encoding="utf-8")
    rows = load_dataset("json", data_files=str(path), cache_dir=str(tmp_path / "cache"), split="train")
    folder = build_policy(tmp_path / "policy")
    policy, before = (AutoModelForCausalLM.from_pretrained(folder) for _ in range(2))
    trainer = SFTTrainer(
        model=policy,
        args=training_arguments(SFTConfig, tmp_path / "sft"),
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(folder),
    )
    assert trainer.train().global_step == 2
    assert changed(trainer.model, before)


def test_responses_called_good_or_bad_train_in_trl(load, tmp_path):
    torch.set_num_threads(1)
    folder = build_policy(tmp_path / "policy")
    policy, before, reference = (AutoModelForCausalLM.from_pretrained(folder) for _ in range(3))
    trainer = KTOTrainer(
        model=policy,
        ref_model=reference,
        args=training_arguments(KTOConfig, tmp_path / "kto"),
        train_dataset=load("unpaired"),
        processing_class=AutoTokenizer.from_pretrained(folder),
    )
    assert trainer.train().global_step == 2
    assert changed(policy, before)


def changed(model, other):
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return any(not torch.equal(mine, its) for mine, its in pairs)
