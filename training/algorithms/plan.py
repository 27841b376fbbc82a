"""What a run folder asks for, and the data it names.

RUN/run.json: {"algorithm", "config", "model", "reference": null, "data": {"train", "test"}, "reference_cache": null,
"rewards": [{"model", "weight"}], "heldout_reward": null, "ends_with_best": false}; paths may be relative to RUN.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from training.algorithms.configs import Config, parse_config
from training.algorithms.groups import EncodedGroup, Group, encode_groups, normalise_weights, read_groups


@dataclass(frozen=True, kw_only=True)
class Plan:
    """run.json, checked, with absolute paths."""

    run: Path
    algorithm: str
    config: Config
    model: Path
    reference: Path | None
    train: Path
    test: Path | None
    reference_cache: Path
    rewards: tuple[tuple[Path, float], ...] = ()  # reward models and their weights, for what samples responses
    heldout_reward: Path | None = None  # a reward model that scores them too, and from which nothing is learnt
    ends_with_best: bool = False  # take no further step: the model is that of the best evaluation


def read_plan(run: Path) -> Plan:
    """Raises ValueError (ConfigError for settings) with a sentence."""
    path = run / "run.json"
    try:
        row = json.loads(path.read_text())
        data = row["data"]
        return Plan(
            run=run,
            algorithm=row["algorithm"],
            config=parse_config(row["algorithm"], row.get("config") or {}),
            model=existing(run / row["model"]),
            reference=existing(run / row["reference"]) if row.get("reference") else None,
            train=existing(run / data["train"]),
            test=existing(run / data["test"]) if data.get("test") else None,
            reference_cache=run / (row.get("reference_cache") or "reference"),
            rewards=tuple((existing(run / one["model"]), float(one["weight"])) for one in row.get("rewards") or ()),
            heldout_reward=existing(run / row["heldout_reward"]) if row.get("heldout_reward") else None,
            ends_with_best=bool(row.get("ends_with_best")),
        )
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error}): name the folder of a run.") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}.") from error


def existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"{path} does not exist: choose another model or make the snapshot's files again.")
    return path


@dataclass
class Data:
    """Both sets, encoded; `report` is what the start event says of them."""

    train: list[EncodedGroup]
    test: list[EncodedGroup]
    test_texts: list[Group]
    report: dict[str, int] = field(default_factory=dict)


Select = Callable[[Group, bool], Group | None]  # a group, whether it is trained on -> as it is used, or left out


def load_data(plan: Plan, tokenizer: PreTrainedTokenizerBase, *, context: int, select: Select, needs: str) -> Data:
    """Read and encode the groups. Training weights get mean 1; what `select` leaves out is counted.

    `context` is the longest sequence the model can take; a longer setting is cut to it. Raises ValueError with the
    sentence `needs` when nothing is left to train on.
    """
    longest = min(plan.config.max_length, context)
    texts, test_texts = read_groups(plan.train), read_groups(plan.test) if plan.test else []
    chosen = [group for text in texts if (group := select(text, True)) is not None]
    test_chosen = [group for text in test_texts if (group := select(text, False)) is not None]
    if not chosen:
        raise ValueError(needs)
    train, cut = encode_groups(chosen, tokenizer, max_length=longest)
    test, cut_test = encode_groups(test_chosen, tokenizer, max_length=longest)
    used = normalise_weights(train)
    report = {
        "train_groups": len(used),
        "test_groups": len(test),
        "dropped": len(texts) - len(used),
        "prompts_truncated": cut.prompts_cut + cut_test.prompts_cut,
        "max_length": longest,
        "completions_truncated": cut.completions_cut + cut_test.completions_cut,
    }
    return Data(used, test, test_texts, report)
