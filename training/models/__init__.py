"""The models of training. Django finds them here; each lives in the file of its noun."""

from training.models.alarms import Alarm
from training.models.chosen import ChosenTask
from training.models.endpoints import Endpoint, EndpointBudget, EndpointDay
from training.models.evaluations import Evaluation, EvaluationItem
from training.models.policies import ProjectPolicy
from training.models.registry import ModelVersion
from training.models.reports import Ablation, AblationRun, RewardReport
from training.models.rounds import Recipe, Round, RoundStep
from training.models.runs import Generation, GenerationPrompt, Run, RunEvent, RunReward
from training.models.scores import ResponseScore, Scoring

__all__ = [
    "Ablation",
    "AblationRun",
    "Alarm",
    "ChosenTask",
    "Endpoint",
    "EndpointBudget",
    "EndpointDay",
    "Evaluation",
    "EvaluationItem",
    "Generation",
    "GenerationPrompt",
    "ModelVersion",
    "ProjectPolicy",
    "Recipe",
    "ResponseScore",
    "RewardReport",
    "Round",
    "RoundStep",
    "Run",
    "RunEvent",
    "RunReward",
    "Scoring",
]
