"""The curves of a run's page, in a browser."""

import pytest

from tests.training.round_factories import begin, finish, finish_step, step_of
from training.models import RunEvent
from training.services.rounds import advance_round

pytestmark = pytest.mark.django_db(transaction=True)


def write(run, kind, step, **data):
    RunEvent.objects.create(run=run, kind=kind, step=step, data=data)


def legend(figure):
    """What stands beside the curves: labels and latest values in turn."""
    return [cell.strip(" :") for cell in figure.locator(".u-label, .u-value").all_inner_texts() if cell.strip()]


def test_curves_are_drawn_and_grow_while_the_run_goes_on(launch, page, browser_sign_in, alice):
    run = launch("reward_model")
    write(run, "eval", 0, loss=0.7, accuracy=0.5)
    said = []
    page.on("console", lambda message: said.append(message.text))
    browser_sign_in(alice)
    page.goto(f"/projects/{run.project_id}/runs/{run.pk}/")
    loss = page.locator("figure.curve", has_text="Lower is better")
    loss.locator("canvas").wait_for()
    assert page.locator("figure.curve:visible").count() == 2  # loss and accuracy: nothing else has figures yet
    assert legend(loss) == ["Step", "0", "Held out", "0.7"]

    write(run, "train", 1, loss=0.625, learning_rate=0.0001)
    loss.locator(".u-legend", has_text="0.625").wait_for()
    assert legend(loss) == ["Step", "1", "Training", "0.625", "Held out", "0.7"]
    assert page.locator("figure.curve:visible").count() == 3
    assert said == []


def test_a_rounds_page_draws_the_first_curves_of_its_runs_and_of_one_that_begins_later(
    project, alice, page, browser_sign_in
):
    round = finish(begin(project, alice), until="reward_model")
    first = step_of(round, "reward_model")
    write(first.run, "train", 1, loss=0.7, accuracy=0.5, margin=0.1, grad_norm=1.0)
    browser_sign_in(alice)
    page.goto(f"/projects/{project.pk}/rounds/{round.pk}/")
    page.locator(f"#curves-{first.run.pk} canvas").nth(2).wait_for()
    assert page.locator(f"#curves-{first.run.pk} .curve strong").all_inner_texts() == ["Loss", "Accuracy", "Margin"]
    finish_step(first, 0.55)
    advance_round(round_id=round.pk)
    advance_round(round_id=round.pk)
    later = step_of(round, "heldout_reward_model")
    write(later.run, "train", 1, loss=0.6)
    page.locator(f"#curves-{later.run.pk} canvas").wait_for()
    assert page.locator(f"#curves-{first.run.pk} canvas").count() == 3  # kept while the page was brought up to date
