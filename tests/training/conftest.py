import pytest

from annotate.services.snapshots import create_snapshot
from tests.training.factories import QUICK, judge, make_backbone, make_policy
from training.models import Run
from training.services.runs import launch_run


@pytest.fixture
def launch(project, alice):
    """`launch("dpo", epochs=2)` launches a run with tiny models, on eight judgements if not told otherwise."""

    def launch(algorithm: str, *, judgements: int = 8, **config: object) -> Run:
        judge(project, alice, count=judgements)
        return launch_run(
            project=project,
            user=alice,
            algorithm=algorithm,
            snapshot=create_snapshot(project=project, user=alice),
            base_model=make_backbone(project) if algorithm == "reward_model" else make_policy(project),
            config={**QUICK, **config},
        )

    return launch
