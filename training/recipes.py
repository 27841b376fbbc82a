"""What a round does, as its owner sets it: one dataclass, its limits, and the recipes every project begins with.

Standard library only; the algorithms' own settings are judged by `parse_config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_type_hints

from training.algorithms.configs import ALGORITHMS, ConfigError, parse_config, read_value
from training.algorithms.options.online import NO_FUNCTION
from training.algorithms.settings import choice, number, switch

LEARN, JUDGE, NEXT = "learn", "judge", "next"
GROUPS = {
    LEARN: "What is trained",
    JUDGE: "When the new policy is taken into use",
    NEXT: "What people judge next",
}
POLICIES = tuple(
    (name, algorithm.label) for name, algorithm in ALGORITHMS.items() if algorithm.makes == "policy" and name != "sft"
)
STARTS = (("current", "The policy in use"), ("base", "The base model, each time anew"))
REWARDS, PEOPLE, BOTH, HAND = "rewards", "people", "both", "hand"
GATES = (
    (REWARDS, "Reward model prefers it"),
    (PEOPLE, "People prefer it"),
    (BOTH, "Both prefer it"),
    (HAND, "I say so"),
)


class PlanError(ValueError):
    """A plan that cannot be; `errors` maps each field to a sentence that names the value and what to do."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


@dataclass(frozen=True, kw_only=True)
class Plan:
    algorithm: str = choice("ppo", "How the policy learns", "From people's judgements so far.", LEARN, POLICIES)
    start_from: str = choice("current", "Training starts from", "What the new policy grows out of.", LEARN, STARTS)
    sft: bool = switch(
        False,
        "Imitate good responses first",
        "Supervised fine-tuning on demonstrations and preferred responses.",
        LEARN,
    )
    heldout: bool = switch(
        True,
        "Keep half of the prompts for a second reward model",
        "It never trains the policy, so it can tell a better policy from one that has fooled the first reward model.",
        LEARN,
    )
    test_fraction: float = number(
        0.2,
        "Share of prompts never trained on",
        "Policies are compared on these, and on prompts nobody has judged.",
        LEARN,
        min=0.05,
        max=0.9,
        step=0.05,
    )
    gate: str = choice(
        REWARDS,
        "Take it into use if",
        "People are not told which response is whose.",
        JUDGE,
        GATES,
    )
    gate_rate: float = number(
        0.5,
        "Win rate to exceed",
        "The low end of the 95 % interval must be above it; 0.5 means better beyond doubt.",
        JUDGE,
        min=0.0,
        max=0.99,
        step=0.01,
    )
    gate_alarms: bool = switch(True, "Not while an alarm says stop", "Whatever the win rate.", JUDGE)
    evaluation_prompts: int = number(
        64, "Held-out prompts", "Answered by both policies, for the reward model to compare.", JUDGE, min=2, max=100_000
    )
    people_prompts: int = number(
        50, "Comparisons by people", "At most; it stops earlier once the answer is clear.", JUDGE, min=2, max=10_000
    )
    prompts: int = number(
        50, "Prompts to answer", "Those judged least come first; 0 asks for nothing new.", NEXT, min=0, max=1_000_000
    )
    responses: int = number(2, "Responses to each", "By the policy in use.", NEXT, min=2, max=16)
    temperature: float = number(1.0, "Temperature", "Higher varies more.", NEXT, min=0.05, max=2.0, step=0.05)
    max_tokens: int = number(128, "Longest response", "Tokens.", NEXT, min=1, max=2048)
    tasks: int = number(50, "Comparisons to queue", "From these responses.", NEXT, min=0, max=1_000_000)
    rival_share: float = number(
        0.2,
        "Share against a rival",
        "Comparisons with a response of the other policy: the one before, or the new one that was not taken.",
        NEXT,
        min=0.0,
        max=1.0,
        step=0.05,
    )
    by_lot: float = number(
        1.0, "Chosen by lot", "Weight beside the others; a tenth at least.", NEXT, min=0.1, max=1.0, step=0.1
    )
    by_uncertainty: float = number(
        0.0,
        "Chosen where the heads disagree",
        "Weight; needs a reward model with several heads.",
        NEXT,
        min=0.0,
        max=1.0,
        step=0.1,
    )
    by_information: float = number(
        0.0, "Chosen where most is to be learnt", "Weight; needs the same.", NEXT, min=0.0, max=1.0, step=0.1
    )
    by_contrast: float = number(
        0.0, "Chosen between models and temperatures", "Weight.", NEXT, min=0.0, max=1.0, step=0.1
    )
    reward_settings: dict[str, Any] = field(default_factory=dict)  # of `reward_model`, both of them
    policy_settings: dict[str, Any] = field(default_factory=dict)  # of `algorithm`
    sft_settings: dict[str, Any] = field(default_factory=dict)

    def scores(self) -> bool:
        """Whether the algorithm needs a reward model to train with."""
        return ALGORITHMS[self.algorithm].scores and self.policy_settings.get("function", NO_FUNCTION) == NO_FUNCTION

    def mix(self) -> dict[str, float]:
        """The weights of the ways to choose what people compare; those of 0 left out."""
        weights = {
            "random": self.by_lot,
            "uncertain": self.by_uncertainty,
            "information": self.by_information,
            "contrast": self.by_contrast,
        }
        return {name: weight for name, weight in weights.items() if weight}

    def asks(self, who: str) -> bool:
        """Whether the gate wants to hear the reward model ("rewards") or people ("people")."""
        return self.gate in (who, BOTH)


NESTED = {"reward_settings": "reward_model", "policy_settings": "", "sft_settings": "sft"}  # "": the plan's algorithm


def plain_fields() -> list[Any]:
    """The dataclass fields with a label, a default and limits."""
    return [item for item in fields(Plan) if item.name not in NESTED]


def parse_plan(mapping: Mapping[str, Any]) -> Plan:
    """A plan from JSON or form values. Raises PlanError with every bad field at once."""
    types, known = get_type_hints(Plan), {item.name: item for item in plain_fields()}
    values: dict[str, Any] = {}
    errors = {
        name: f"A recipe has no setting {name!r}: remove it." for name in mapping.keys() - known.keys() - NESTED.keys()
    }
    for name in known.keys() & mapping.keys():
        try:
            values[name] = read_value(known[name], types[name], mapping[name])
        except ValueError as error:
            errors[name] = str(error)
    algorithm = values.get("algorithm", Plan.algorithm)
    for name, of in NESTED.items():
        values[name] = dict(mapping.get(name) or {})
        errors |= wrong_settings(of or algorithm, name, values[name])
    if not errors:
        errors = contradictions(Plan(**values))
    if errors:
        raise PlanError(errors)
    return Plan(**values)


def wrong_settings(algorithm: str, name: str, settings: Mapping[str, Any]) -> dict[str, str]:
    try:
        parse_config(algorithm, settings)
    except ConfigError as error:
        return {name: f"{ALGORITHMS[algorithm].label}: {error}"}
    return {}


def contradictions(plan: Plan) -> dict[str, str]:
    if plan.asks(REWARDS) and not plan.heldout:
        return {
            "gate": "Only a held-out reward model can say whether the policy is better: keep half of the prompts for "
            "one, or let people or yourself decide."
        }
    if plan.tasks and not plan.prompts:
        return {"tasks": f"There is nothing to make {plan.tasks} comparisons from: answer some prompts, or queue 0."}
    return {}


def to_json(plan: Plan) -> dict[str, Any]:
    return asdict(plan)


BUILT_IN: dict[str, Plan] = {
    "Reward model + PPO": Plan(
        algorithm="ppo",
        policy_settings={"epochs": 2, "batch_size": 16, "max_tokens": 96, "learning_rate": 2e-5, "max_steps": 60},
    ),
    # On judgements of other policies' responses, DPO on top of DPO drifts until it writes nothing people compared.
    "DPO": Plan(algorithm="dpo", start_from="base", policy_settings={"epochs": 1, "beta": 0.1}),
    "Rejection sampling (RAFT)": Plan(
        algorithm="raft", policy_settings={"epochs": 1, "responses": 4, "max_tokens": 96, "max_steps": 60}
    ),
}
