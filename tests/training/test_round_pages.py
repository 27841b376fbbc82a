"""The pages of rounds, recipes and the policy in use."""

import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.training.factories import make_policy
from tests.training.round_factories import begin, end_run, finish, make_ready, make_recipe, step_of
from training.models import Ablation, Recipe, Round, Run
from training.recipes import BUILT_IN
from training.services.alarms import acknowledge_alarm, raise_alarm
from training.services.policies import current_policy
from training.services.rounds import advance_round

pytestmark = pytest.mark.django_db


def test_a_project_begins_with_the_built_in_recipes_and_starts_a_round_with_one(signed_in, project, alice):
    make_ready(project, alice)
    client, address = signed_in(alice), reverse("project-rounds", args=[project.pk])
    page = client.get(address).content.decode()
    assert "No rounds yet" in page
    assert "24 new judgements so far." in page
    assert [recipe.name for recipe in Recipe.objects.order_by("pk")] == list(BUILT_IN)
    recipe = Recipe.objects.get(name="DPO")
    answer = client.post(reverse("round-start", args=[project.pk]), {"recipe": recipe.pk}, follow=True)
    round = Round.objects.get()
    assert answer.redirect_chain == [(reverse("round-detail", args=[project.pk, round.pk]), 302)]
    again = client.post(reverse("round-start", args=[project.pk]), {"recipe": recipe.pk}, follow=True)
    assert "Round 1 is still under way. Wait for it, or cancel it first." in again.content.decode()
    assert Round.objects.count() == 1


def test_the_history_says_a_round_in_one_line_and_draws_its_win_rate(
    signed_in, project, alice, django_assert_max_num_queries
):
    round = finish(begin(project, alice))
    client = signed_in(alice)
    with django_assert_max_num_queries(22):
        page = client.get(reverse("project-rounds", args=[project.pk])).content.decode()
    assert "24 new" in page
    assert "65 %" in page
    assert "55 % to 75 %" in page
    assert "round 1: 65 % (55 to 75 %)" in page
    assert "Taken into use" in page
    detail = client.get(reverse("round-detail", args=[project.pk, round.pk])).content.decode()
    assert "The held-out reward model prefers it in 65 % of 40" in detail
    assert "3 comparisons" in detail
    assert "hx-trigger" not in detail


def test_a_round_shows_what_it_was_set_to_how_it_went_and_what_it_owes_to_strength_and_ties(
    signed_in, project, alice, bob, carol
):
    round = finish(begin(project, alice, policy_settings={"max_steps": 3}))
    run = step_of(round, "reward_model").run
    Run.objects.filter(pk=run.pk).update(
        metrics={"accuracy": 0.7, "accuracy_low": 0.61, "accuracy_high": 0.78, "pairs": 112}
    )
    address = reverse("round-detail", args=[project.pk, round.pk])
    page = BeautifulSoup(signed_in(alice).get(address).content, "html.parser")
    told = " ".join(page.get_text(" ").split())
    assert "right in 70 % of 112 held-out pairs 95 %: 61 % to 78 %" in told
    assert "Take it into use if Reward model prefers it" in told
    assert "PPO: what differs from the usual Stop after steps 3" in told
    figures = [place["data-curves"] for place in page.select("[data-curves]")]
    assert reverse("run-events", args=[project.pk, run.pk]) in figures and len(figures) == 3

    ablate = reverse("round-ablate", args=[project.pk, round.pk])
    assert page.select_one(f'form[action="{ablate}"]') is not None
    assert signed_in(bob).post(ablate).status_code == 403
    alone = signed_in(alice).post(ablate, follow=True).content.decode()
    assert "was judged by one person: nobody is left to test on" in alone
    for judgement in project.judgements.order_by("pk")[:12]:
        project.judgements.filter(pk=judgement.pk).update(annotator=carol)
    assert signed_in(alice).post(ablate).url == signed_in(alice).post(ablate).url
    ablation = Ablation.objects.get()
    assert (ablation.name, ablation.snapshot) == ("Round 1: what counts", run.snapshot)
    assert "Without strength" in signed_in(bob).get(address).content.decode()


def test_an_alarm_that_was_acknowledged_is_no_longer_on_its_rounds_page(signed_in, project, alice):
    round = begin(project, alice)
    alarm = raise_alarm(project=project, kind="sameness", message="All alike.", remedy="Go warmer.", round=round)
    address = reverse("round-detail", args=[project.pk, round.pk])
    page = signed_in(alice).get(address).content.decode()
    assert "All alike." in page and "Go warmer." in page and "was asked to stop" not in page
    acknowledge_alarm(alarm=alarm, user=alice)
    assert "All alike." not in signed_in(alice).get(address).content.decode()


def test_a_round_under_way_polls_and_its_fragment_is_the_page_without_the_frame(signed_in, project, alice):
    round = begin(project, alice)
    address = reverse("round-detail", args=[project.pk, round.pk])
    page = signed_in(alice).get(address).content.decode()
    assert 'hx-trigger="every 2s"' in page
    fragment = signed_in(alice).get(address, headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith('<div id="live"')


def test_a_failed_step_offers_what_can_be_done_and_a_reviewer_only_reads(signed_in, project, alice, bob):
    round = begin(project, alice)
    end_run(step_of(round, "reward_model").run, "failed", "Out of memory.")
    advance_round(round_id=round.pk)
    address = reverse("round-detail", args=[project.pk, round.pk])
    page = signed_in(alice).get(address).content.decode()
    assert "Reward model failed" in page
    assert "Out of memory." in page
    assert "Go on without it" not in page  # no earlier reward model to go on with
    assert "Retry" not in signed_in(bob).get(address).content.decode()
    assert signed_in(bob).post(reverse("round-retry", args=[project.pk, round.pk])).status_code == 403
    signed_in(alice).post(reverse("round-retry", args=[project.pk, round.pk]))
    assert step_of(round, "reward_model").status == "running"
    signed_in(alice).post(reverse("round-cancel", args=[project.pk, round.pk]))
    round.refresh_from_db()
    assert round.status == "cancelled"


def test_an_owner_takes_a_policy_and_restores_the_one_before_in_one_click(signed_in, project, alice):
    round = finish(begin(project, alice, gate="hand"))
    before, client = current_policy(project), signed_in(alice)
    client.post(reverse("round-take", args=[project.pk, round.pk]))
    assert current_policy(project) == step_of(round, "policy").run.output
    page = client.get(reverse("project-policies", args=[project.pk])).content.decode()
    assert f'aria-label="Restore {before}"' in page
    client.post(reverse("policy-restore", args=[project.pk, project.policies.get(model=before).pk]))
    assert current_policy(project) == before
    assert project.audit_events.filter(action="policy.taken_into_use").count() == 2


def test_making_a_policy_the_default_is_in_the_history(signed_in, project, alice):
    make_policy(project)
    other = make_policy(project, "other", is_default=False)
    signed_in(alice).post(reverse("model-make-default", args=[project.pk, other.pk]))
    assert list(project.policies.order_by("pk").values_list("model__name", "is_current")) == [
        ("tiny", False),
        ("other", True),
    ]


def filled_in(client, address):
    """The form as a browser would send it."""
    form = client.get(address).context["form"]
    parts = [form, *(part for _, part in form.parts())]
    values = {field.html_name: field.value() for part in parts for field in part}
    return {
        name: "on" if value is True else value
        for name, value in values.items()
        if value is not None and value is not False
    }


def test_a_recipe_is_written_copied_and_changed(signed_in, project, alice):
    client = signed_in(alice)
    address = reverse("recipe-create", args=[project.pk]) + "?algorithm=dpo"
    sent = filled_in(client, address) | {"name": "Nightly", "trigger": "times", "times": "0 3 * * *"}
    answer = client.post(address, sent | {"policy-beta": "0.3", "gate_rate": "0.55"})
    assert answer.status_code == 302
    recipe = Recipe.objects.get(name="Nightly")
    assert (recipe.plan["algorithm"], recipe.plan["policy_settings"]) == ("dpo", {"beta": 0.3})
    assert (recipe.plan["gate_rate"], recipe.plan["heldout"]) == (0.55, True)
    assert recipe.next_at is not None
    copy = reverse("recipe-create", args=[project.pk]) + f"?like={recipe.pk}"
    assert client.post(copy, filled_in(client, copy)).status_code == 302
    assert Recipe.objects.get(name="Nightly (copy)").plan == recipe.plan
    edit = reverse("recipe-edit", args=[project.pk, recipe.pk])
    assert client.post(edit, filled_in(client, edit) | {"trigger": "hand"}).status_code == 302
    recipe.refresh_from_db()
    assert (recipe.trigger, recipe.next_at, recipe.plan["policy_settings"]) == ("hand", None, {"beta": 0.3})


def test_another_algorithm_may_be_chosen_without_losing_what_was_typed(signed_in, project, alice):
    client, address = signed_in(alice), reverse("recipe-create", args=[project.pk])
    typed = filled_in(client, f"{address}?algorithm=dpo") | {
        "name": "Mine",
        "gate_rate": "lots",
        "policy-beta": "0.3",
        "sft-epochs": "7",
        "algorithm": "dpo",
        "switch": "",
    }
    del typed["heldout"]
    page = client.post(f"{address}?algorithm=ppo", typed)
    assert page.status_code == 200
    assert "lots" in page.content.decode() and not page.context["form"].errors
    form = BeautifulSoup(page.content, "html.parser").select_one("form.run-form")
    sent = {field["name"]: field.get("value", "") for field in form.select("input") if field.get("type") != "checkbox"}
    assert (sent["name"], sent["sft-epochs"], sent["policy-beta"]) == ("Mine", "7", "0.3")
    assert form.select_one("[name=heldout]:not([checked])")
    assert form.select_one("[name=switch][aria-current]").text == "PPO"
    back = client.post(f"{address}?algorithm=dpo", sent | {"switch": ""}).context["form"]
    assert (back["name"].value(), back.policy["beta"].value(), back.sft["epochs"].value()) == ("Mine", "0.3", "7")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gate_rate": "2"}, "Win rate to exceed cannot be 2: the most is 0.99."),
        ({"policy-beta": "x"}, "Beta cannot be"),
        ({"trigger": "times", "times": "at dawn"}, "is no set of times"),
        ({"heldout": ""}, "Only a held-out reward model can say whether the policy is better"),
        ({"name": "Tiny"}, "already has a recipe “Tiny”"),
        ({"prompts": "0"}, "There is nothing to make 50 comparisons from"),
    ],
)
def test_a_wrong_recipe_is_refused_in_words_with_what_was_typed_kept(signed_in, project, alice, changes, words):
    make_recipe(project)
    client, address = signed_in(alice), reverse("recipe-create", args=[project.pk]) + "?algorithm=dpo"
    sent = filled_in(client, address) | {"name": "My own", "people_prompts": "77"} | changes
    answer = client.post(address, {name: value for name, value in sent.items() if value != ""})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert 'value="77"' in page
    assert Recipe.objects.count() == 1


def test_the_command_starts_a_round(project, alice, capsys):
    make_ready(project, alice)
    make_recipe(project)
    call_command("round", str(project.pk), "--recipe", "Tiny")
    assert capsys.readouterr().out.startswith("Round 1 of “Kitchen advice” has begun: Tiny.")
    with pytest.raises(CommandError, match="Round 1 is still under way"):
        call_command("round", str(project.pk))
    with pytest.raises(CommandError, match="No recipe is named 'Soup'. There are: Tiny."):
        call_command("round", str(project.pk), "--recipe", "Soup")
