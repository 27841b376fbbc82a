import subprocess
import sys

import pytest

from training.algorithms.configs import ALGORITHMS, ConfigError, parse_config, to_dict
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.options.reward_model import RewardModelConfig


def test_an_empty_form_gives_the_defaults():
    assert parse_config("reward_model", {}) == RewardModelConfig()
    assert parse_config("dpo", {}) == DPOConfig()


def test_strings_of_a_form_are_read_as_the_fields_type():
    config = parse_config("dpo", {"beta": "0.25", "epochs": "3", "lora": "on", "strength": "soft"})
    assert (config.beta, config.epochs, config.lora, config.strength) == (0.25, 3, True, "soft")


def test_every_bad_field_is_named_with_its_value():
    with pytest.raises(ConfigError) as caught:
        parse_config(
            "reward_model", {"beta": 1, "epochs": 0, "strength": "x", "margin": "nan", "lora": 3, "batch_size": 1.5}
        )
    assert caught.value.errors == {
        "beta": "reward_model has no setting 'beta': remove it.",
        "epochs": "Epochs cannot be 0: the least is 1.",
        "strength": "Strength of preference cannot be 'x': choose one of ignore, margin, soft, scaled.",
        "margin": "Margin cannot be 'nan': it must be a finite number.",
        "lora": "LoRA cannot be 3: it is true or false.",
        "batch_size": "Batch size cannot be 1.5: it must be a whole number.",
    }


def test_an_unknown_algorithm_is_an_error():
    with pytest.raises(ConfigError, match="no algorithm 'sorcery'"):
        parse_config("sorcery", {})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_config_survives_json_and_every_field_carries_its_form(algorithm):
    config = parse_config(algorithm, {"seed": 7})
    assert parse_config(algorithm, to_dict(config)) == config
    for item in type(config).__dataclass_fields__.values():
        assert item.metadata["label"]
        assert item.metadata["help"]


def test_the_configs_are_read_without_loading_torch():
    code = "import sys, training.algorithms.configs; print('torch' in sys.modules, 'transformers' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "False"]
