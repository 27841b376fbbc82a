"""The models of training. Django finds them here; each lives in the file of its noun."""

from training.models.chosen import ChosenTask
from training.models.policies import ProjectPolicy
from training.models.registry import ModelVersion
from training.models.rounds import Recipe, Round, RoundStep
from training.models.runs import Generation, GenerationPrompt, Run, RunEvent, RunReward
from training.models.scores import ResponseScore, Scoring

__all__ = [
    "ChosenTask",
    "Generation",
    "GenerationPrompt",
    "ModelVersion",
    "ProjectPolicy",
    "Recipe",
    "ResponseScore",
    "Round",
    "RoundStep",
    "Run",
    "RunEvent",
    "RunReward",
    "Scoring",
]
