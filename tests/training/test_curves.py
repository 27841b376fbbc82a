"""The curves of a run's page, in a browser."""

import pytest

from training.models import RunEvent

pytestmark = pytest.mark.django_db(transaction=True)


def write(run, kind, step, **data):
    RunEvent.objects.create(run=run, kind=kind, step=step, data=data)


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
    assert "0.7" in loss.locator(".u-legend").inner_text()

    write(run, "train", 1, loss=0.625, learning_rate=0.0001)
    loss.locator(".u-legend", has_text="0.625").wait_for()
    assert page.locator("figure.curve:visible").count() == 3
    assert said == []
