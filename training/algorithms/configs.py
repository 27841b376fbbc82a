"""The table of algorithms, and the one judge of their settings.

Standard library only: the web process imports this module to build the launch form, and never loads torch. An algorithm
is a config in `options/`, a module beside this one with `prepare`, a row here, and a line in trainer.PREPARE.
"""

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, fields
from math import isfinite
from typing import Any, Literal, get_type_hints

from training.algorithms.options.a_lol import ALoLConfig
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.options.ilql import ILQLConfig
from training.algorithms.options.kto import KTOConfig
from training.algorithms.options.online import GRPOConfig, PPOConfig, RAFTConfig, ReinforceConfig, RLOOConfig
from training.algorithms.options.orpo import ORPOConfig
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.options.sft import SFTConfig
from training.algorithms.options.shared import TrainingConfig
from training.algorithms.options.simpo import SimPOConfig
from training.algorithms.settings import Value

Config = Any  # one of the dataclasses in ALGORITHMS
Kind = Literal["policy", "reward", "backbone"]


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """What the site must know of an algorithm beside its settings."""

    label: str
    config: type[TrainingConfig]
    makes: Kind
    starts_from: tuple[Kind, ...]  # the usual one first
    charts: str  # the set of curves its runs show, a key of training.curves.CHARTS
    scores: bool = False  # it samples responses, which reward models or a function score


def offline(label: str, config: type[TrainingConfig], *, charts: str) -> Algorithm:
    """A policy from a policy, trained on what was said of stored responses."""
    return Algorithm(label=label, config=config, makes="policy", starts_from=("policy",), charts=charts)


def online(label: str, config: type[TrainingConfig]) -> Algorithm:
    """A policy from a policy, trained on responses of its own."""
    return Algorithm(label=label, config=config, makes="policy", starts_from=("policy",), charts="online", scores=True)


ALGORITHMS: dict[str, Algorithm] = {
    "reward_model": Algorithm(
        label="Reward model",
        config=RewardModelConfig,
        makes="reward",
        starts_from=("backbone", "policy"),
        charts="reward",
    ),
    "sft": offline("Supervised", SFTConfig, charts="text"),
    "dpo": offline("DPO", DPOConfig, charts="preference"),
    "simpo": offline("SimPO", SimPOConfig, charts="preference"),
    "orpo": offline("ORPO", ORPOConfig, charts="preference"),
    "kto": offline("KTO", KTOConfig, charts="flags"),
    "a_lol": offline("A-LoL", ALoLConfig, charts="advantage"),
    "ilql": offline("ILQL", ILQLConfig, charts="values"),
    "ppo": online("PPO", PPOConfig),
    "rloo": online("RLOO", RLOOConfig),
    "grpo": online("GRPO", GRPOConfig),
    "reinforce": online("REINFORCE", ReinforceConfig),
    "raft": online("RAFT", RAFTConfig),
}


class ConfigError(ValueError):
    """Settings that cannot be used; `errors` maps each field to a sentence that names the value and what to do."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


def parse_config(algorithm: str, mapping: Mapping[str, Any]) -> Config:
    """Build the algorithm's config from JSON or form values (strings are read as the field's type).

    Raises ConfigError with every bad field at once: an unknown name, a wrong type, a value out of range; then those
    that contradict each other.
    """
    if algorithm not in ALGORITHMS:
        raise ConfigError({"algorithm": f"There is no algorithm {algorithm!r}: choose one of {', '.join(ALGORITHMS)}."})
    config_class = ALGORITHMS[algorithm].config
    types, known = get_type_hints(config_class), {item.name: item for item in fields(config_class)}
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, raw in mapping.items():
        if name not in known:
            errors[name] = f"{algorithm} has no setting {name!r}: remove it."
            continue
        try:
            values[name] = read_value(known[name], types[name], raw)
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise ConfigError(errors)
    config = config_class(**values)
    if contradictions := config.contradictions():
        raise ConfigError(contradictions)
    return config


def read_value(item: Field, expected: type, raw: Any) -> Value:
    """One value as `expected` (bool, int, float or str) within the field's limits, else ValueError with a sentence."""
    label = item.metadata["label"]
    value = cast_value(label, expected, raw)
    choices = item.metadata["choices"]
    if choices and value not in [choice for choice, _ in choices]:
        raise ValueError(f"{label} cannot be {raw!r}: choose one of {', '.join(choice for choice, _ in choices)}.")
    low, high = item.metadata["min"], item.metadata["max"]
    if low is not None and value < low:
        raise ValueError(f"{label} cannot be {raw}: the least is {low:g}.")
    if high is not None and value > high:
        raise ValueError(f"{label} cannot be {raw}: the most is {high:g}.")
    return value


def cast_value(label: str, expected: type, raw: Any) -> Value:
    if expected is bool:
        words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False, "": False}
        if str(raw).lower() in words:
            return words[str(raw).lower()]
        raise ValueError(f"{label} cannot be {raw!r}: it is true or false.")
    if expected is str:
        return str(raw)
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError(f"{label} cannot be {raw!r}: it must be a number.")
    try:
        number = float(raw)
    except ValueError:
        raise ValueError(f"{label} cannot be {raw!r}: it must be a number.") from None
    if not isfinite(number) or (expected is int and number != int(number)):
        raise ValueError(f"{label} cannot be {raw!r}: it must be a {'whole' if expected is int else 'finite'} number.")
    return int(number) if expected is int else number


def to_dict(config: Config) -> dict[str, Value]:
    """Every setting of the run, defaults included, ready for JSON."""
    return asdict(config)
