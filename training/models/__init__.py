"""The models of training. Django finds them here; each lives in the file of its noun."""

from training.models.registry import ModelVersion
from training.models.runs import Generation, GenerationPrompt, Run, RunEvent, RunReward

__all__ = ["Generation", "GenerationPrompt", "ModelVersion", "Run", "RunEvent", "RunReward"]
