from django.apps import AppConfig

from training.algorithms.threads import share_cores


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        """Before any worker imports torch."""
        share_cores()
