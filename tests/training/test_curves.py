"""The curves of a run's page, in a browser."""

import pytest

from training.models import RunEvent

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
