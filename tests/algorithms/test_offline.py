"""Every algorithm that trains a policy on stored responses: it begins where it must, learns, and does not depend on how
a step is cut."""

from dataclasses import replace
from json import dumps, loads
from math import exp, log
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from tests.algorithms.runs import events, make_rows, make_run
from training.algorithms.configs import ConfigError, parse_config
from training.algorithms.events import EventWriter
from training.algorithms.groups import encode_groups, parse_group
from training.algorithms.loop import Job, Tools, train
from training.algorithms.models import load_policy
from training.algorithms.options.sft import SFTConfig
from training.algorithms.packing import collate
from training.algorithms.plan import read_plan
from training.algorithms.policy_job import logprobs, references
from training.algorithms.sft import phrase, select_good
from training.algorithms.trainer import PREPARE, run_trainer

ALGORITHMS = ["sft", "dpo", "simpo", "orpo", "kto", "a_lol", "ilql"]
QUICK = {"lora": False, "learning_rate": 5e-3, "checkpoint_every": 0, "eval_every": 0, "samples": 0}


def rows_of(algorithm: str, count: int) -> list[dict]:
    """The rows of make_rows in the label that is the algorithm's own: good responses begin with "yes"."""
    rows = make_rows(count)
    for number, row in enumerate(rows):
        good = [text.startswith("yes") for text in row["completions"]]
        if algorithm == "kto":
            row["label"] = {"kind": "unpaired", "desirable": good}
        elif algorithm in ("a_lol", "ilql"):
            row["label"] = {"kind": "rating", "scores": [4.0 if one else 1.0 for one in good]}
        elif algorithm == "sft" and number % 2:
            row["completions"], row["label"] = [row["completions"][good.index(True)]], {"kind": "demonstration"}
    return rows


def prepare(run: Path, algorithm: str, model: Path, *, rows=None, train: int = 24, test: int = 6, **config) -> Job:
    rows = rows or rows_of(algorithm, train + test)
    make_run(run, model, algorithm, QUICK | config, train=train, test=test, rows=rows)
    tools = Tools(Accelerator(cpu=True), EventWriter(run / "events.jsonl"), lambda: False)
    return PREPARE[algorithm](read_plan(run), tools)


def told(run: Path, kind: str) -> list[dict]:
    return [event["data"] for event in events(run) if event["kind"] == kind]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_step_of_eight_is_the_same_whether_taken_as_eight_or_as_one(algorithm, policy_folder, tmp_path):
    found = []
    for tokens in (10_000, 8):
        run = tmp_path / str(tokens)
        job = prepare(run, algorithm, policy_folder, train=16, micro_batch_tokens=tokens, learning_rate=1e-3)
        train(job)
        weights = torch.cat([parameter.detach().flatten() for parameter in job.model.parameters()])
        found.append(([event["loss"] for event in told(run, "train")], weights))
    assert found[1][0] == pytest.approx(found[0][0], abs=1e-5)
    torch.testing.assert_close(found[1][1], found[0][1], atol=2e-5, rtol=0)


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "ilql"])  # it has a test of its own
def test_it_learns_to_say_yes_rather_than_no(algorithm, policy_folder, tmp_path):
    """Held-out responses that begin with "yes" become likelier than those that begin with "no"."""
    job = prepare(tmp_path / "run", algorithm, policy_folder, train=48, epochs=6)
    job.test = []

    def lead() -> float:
        groups = [group for group in rows_encoded(job) if len(group.completions) == 2]
        with torch.no_grad():
            found = logprobs(job.model, collate(groups, "tree")).tolist()
        return sum(found[0::2]) - sum(found[1::2])

    before = lead()
    train(job)
    assert lead() > before + 12


def rows_encoded(job: Job) -> list:
    """Twelve unseen groups with "yes" first."""
    rows = make_rows(12, seed=5)
    for row in rows:
        row["completions"].sort(reverse=True)
        row["label"] = {"kind": "tie"}
    groups = [parse_group(dumps(row)) for row in rows]
    return encode_groups(groups, job.model.tokenizer, max_length=256)[0]


@pytest.mark.parametrize(("algorithm", "reward"), [("dpo", {}), ("rloo", {"function": "vowels", "max_tokens": 8})])
def test_adapters_go_into_as_many_layers_as_the_settings_say(algorithm, reward, policy_folder, tmp_path):
    """The policy has two layers; 0 is both of them."""
    for layers, places in ((0, {"0", "1"}), (1, {"1"})):
        settings = {"lora": True, "lora_layers": layers, **reward}
        job = prepare(tmp_path / str(layers), algorithm, policy_folder, **settings)
        trained = [name for name, one in job.model.named_parameters() if one.requires_grad]
        assert {name.split("layers.")[1].split(".")[0] for name in trained} == places


def test_supervised_loss_is_the_mean_over_response_tokens_that_transformers_finds(policy_folder, tmp_path):
    job = prepare(tmp_path / "run", "sft", policy_folder, train=6, max_steps=1)
    job.train = [replace(group, weight=1.0) for group in job.train]
    model = load_policy(policy_folder).model
    model.set_attn_implementation("sdpa")
    total, tokens = 0.0, 0
    for group in job.train:
        ids = torch.tensor([[*group.prompt, *group.completions[0]]])
        labels = torch.tensor([[-100] * len(group.prompt) + list(group.completions[0])])
        with torch.no_grad():
            total += model(input_ids=ids, labels=labels).loss.item() * len(group.completions[0])
        tokens += len(group.completions[0])
    final = train(job)
    assert told(job.run, "train")[0]["loss"] == pytest.approx(total / tokens, abs=1e-5)
    assert final["perplexity"] == pytest.approx(exp(final["loss"]))


def test_supervised_fine_tuning_imitates_what_is_good_and_leaves_out_the_rest():
    def chosen(label: dict, completions=("a", "b", "c"), **settings) -> str | None:
        row = {"id": "g", "prompt": [{"role": "user", "content": "hi"}], "completions": list(completions)}
        group = select_good(parse_group(dumps(row | {"label": label})), True, config=SFTConfig(**settings))
        return group.completions[0] if group else None

    pair = {"kind": "pair", "chosen": 2, "rejected": 0, "strength": None}
    assert chosen(pair) == "c"
    assert chosen(pair, source="demonstrations") is None
    assert chosen({"kind": "demonstration"}) == "a"
    assert chosen({"kind": "demonstration"}, source="chosen") is None
    assert chosen({"kind": "tie"}) is None
    assert chosen({"kind": "ranking", "tiers": [[1], [0, 2]]}) == "b"
    assert chosen({"kind": "ranking", "tiers": [[0, 1, 2]]}) is None
    assert chosen({"kind": "rating", "scores": [None, 2, 5]}) == "c"
    assert chosen({"kind": "rating", "scores": [None, None, 5]}) is None
    assert chosen({"kind": "unpaired", "desirable": [False, True, True]}) == "b"


def test_phrasings_are_drawn_by_group_and_only_the_last_turn_is_put_anew():
    config = SFTConfig(templates="{prompt} | Question: {prompt}")
    turns = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    last = {"role": "user", "content": "why {prompt}?"}
    rows = [{"id": str(n), "prompt": [*turns, last], "completions": ["x"], "label": {"kind": "demonstration"}}
            for n in range(40)]  # fmt: skip
    found = [phrase(parse_group(dumps(row)), config) for row in rows]
    assert {prompt[-1]["content"] for prompt in found} == {"why {prompt}?", "Question: why {prompt}?"}
    assert all(list(prompt[:-1]) == turns for prompt in found)
    assert found == [phrase(parse_group(dumps(row)), config) for row in rows]


def test_a_phrasing_without_a_place_for_the_prompt_is_an_error():
    with pytest.raises(ConfigError, match="Phrasings cannot hold 'Answer me': each has {prompt} once"):
        parse_config("sft", {"templates": "{prompt} | Answer me"})


@pytest.mark.parametrize(("factor", "sign"), [(0.95, 1), (1.05, -1)])
def test_kto_begins_at_a_half_and_its_baseline_is_the_drift_of_mismatched_responses(
    factor, sign, policy_folder, tmp_path
):
    """z by hand: each prompt with the first response to the next one's, the last with the first's; not below 0."""
    job = prepare(tmp_path / "run", "kto", policy_folder, train=6)
    batch = collate(job.train, "tree")
    job.before(job.train)
    with torch.no_grad():
        found = job.compute(job.model, batch, job.train, job.config)
        strangers = [
            replace(group, completions=(job.train[(place + 1) % 6].completions[0],))
            for place, group in enumerate(job.train)
        ]
        before = logprobs(job.model, collate(strangers, "tree"))
        torch.testing.assert_close(found.losses, torch.ones(6), atol=1e-4, rtol=0)  # two responses of 1/2
        next(job.model.parameters()).mul_(factor)
        drift = logprobs(job.model, collate(strangers, "tree")) - before
        job.before(job.train)
        told = job.compute(job.model, batch, job.train, job.config).facts["kl"]
    assert sign * drift.mean() > 0.01
    torch.testing.assert_close(told, drift.mean().clamp(min=0).expand(6), atol=1e-4, rtol=0)


def test_a_group_that_says_nothing_is_left_out_and_counted(policy_folder, tmp_path):
    rows = rows_of("kto", 10)
    rows[3]["label"] = {"kind": "tie"}
    job = prepare(tmp_path / "run", "kto", policy_folder, rows=rows, train=8, test=2)
    assert (job.report["train_groups"], job.report["dropped"]) == (7, 1)


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        ("sft", "No judgement has a response to imitate"),
        ("dpo", "No judgement says which response is better"),
        ("kto", "No judgement calls a response good or bad"),
        ("a_lol", "No judgement says that a response is better than others"),
        ("ilql", "No judgement says that a response is better than others"),
    ],
)
def test_with_nothing_to_learn_from_it_says_what_to_collect(algorithm, message, policy_folder, tmp_path):
    rows = make_rows(4)
    for row in rows:
        row["label"] = {"kind": "tie"}
    with pytest.raises(ValueError, match=message):
        prepare(tmp_path / "run", algorithm, policy_folder, rows=rows, train=3, test=1)


@pytest.mark.parametrize(
    ("algorithm", "settings", "field"),
    [
        ("dpo", {"loss": "ipo", "label_smoothing": 0.1}, "label_smoothing"),
        ("dpo", {"loss": "ipo", "strength": "margin"}, "strength"),
        ("dpo", {"loss": "robust", "ties": "davidson"}, "ties"),
        ("reward_model", {"rankings": "plackett_luce", "ties": "rao_kupper"}, "rankings"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(algorithm, settings, field):
    with pytest.raises(ConfigError) as caught:
        parse_config(algorithm, settings)
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"loss": "ipo"}, 25.0),  # (0 − 1/(2·0.1))²
        ({"loss": "ipo", "per_token": True}, 25.0),
        ({"loss": "robust", "label_smoothing": 0.1}, log(2)),
        ({"strength": "margin", "margin": 0.0}, log(2)),
        ({"per_token": True}, log(2)),
    ],
)
def test_each_loss_of_dpo_begins_where_it_must(settings, start, policy_folder, tmp_path):
    job = prepare(tmp_path / "run", "dpo", policy_folder, train=8, max_steps=1, **settings)
    train(job)
    assert told(job.run, "train")[0]["loss"] == pytest.approx(start, abs=1e-3)


@pytest.mark.parametrize("ties", ["rao_kupper", "davidson"])
@pytest.mark.parametrize("algorithm", ["dpo", "simpo", "orpo"])
def test_the_tie_parameter_is_learnt_and_noted_beside_the_model(algorithm, ties, policy_folder, tmp_path):
    run = make_run(tmp_path / "run", policy_folder, algorithm, QUICK | {"ties": ties, "epochs": 2}, train=27)
    assert run_trainer(run, should_stop=lambda: False) == 0
    noted = loads((run / "model" / "plumbline.json").read_text())["tie"]
    start = {"rao_kupper": (1 + 1 / 9) / (1 - 1 / 9), "davidson": 2 * (1 / 9) / (1 - 1 / 9)}[ties]
    assert noted["model"] == ties
    assert noted["value"] == pytest.approx(start, rel=0.3)
    assert abs(noted["value"] - start) > 1e-4


def test_a_lol_takes_the_groups_mean_for_what_was_expected_and_the_datas_for_a_lone_response(policy_folder, tmp_path):
    rows = rows_of("a_lol", 6)
    rows[0]["completions"], rows[0]["label"] = rows[0]["completions"][:1], {"kind": "rating", "scores": [4.5]}
    job = prepare(tmp_path / "run", "a_lol", policy_folder, rows=rows, train=4, test=2)
    expected = (3 * 5 + 4.5) / 7
    job.train.sort(key=lambda group: group.id)
    with torch.no_grad():
        found = job.compute(job.model, collate(job.train, "tree"), job.train, job.config)
        policy = logprobs(job.model, collate(job.train, "tree"))
    assert found.losses[0].item() == pytest.approx(-(4.5 - expected) * policy[0].item(), rel=1e-4)
    good = 1 if rows[1]["label"]["scores"][0] == 4.0 else 2
    assert found.losses[1].item() == pytest.approx(-1.5 * policy[good].item() / 2, rel=1e-4)
    torch.testing.assert_close(policy, references(job.train, policy.device), atol=1e-4, rtol=0)
