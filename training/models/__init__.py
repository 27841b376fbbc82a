"""The models of training. Django finds them here; each lives in the file of its noun."""

from training.models.policies import ProjectPolicy
from training.models.registry import ModelVersion
from training.models.rounds import Recipe, Round, RoundStep
from training.models.runs import Generation, GenerationPrompt, Run, RunEvent, RunReward

__all__ = [
    "Generation",
    "GenerationPrompt",
    "ModelVersion",
    "ProjectPolicy",
    "Recipe",
    "Round",
    "RoundStep",
    "Run",
    "RunEvent",
    "RunReward",
]
