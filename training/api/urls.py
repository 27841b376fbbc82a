"""The addresses of /api/v1/ that concern models and runs, each with its operations."""

from django.urls import path

from annotate.api.resources import resource
from annotate.api.urls import INSIDE
from training.api import (
    ablations,
    alarms,
    choosing,
    evaluations,
    generations,
    leaderboards,
    models,
    reports,
    rounds,
    runs,
    scorings,
)

urlpatterns = [
    path("algorithms/", resource(runs.list_algorithms), name="api-algorithms"),
    path(INSIDE + "models/", resource(models.list_models, models.add_a_model), name="api-models"),
    path(INSIDE + "models/<number:pk>/", resource(models.show_model), name="api-model"),
    path(INSIDE + "models/<number:pk>/default/", resource(models.make_default_model), name="api-model-default"),
    path(INSIDE + "models/<number:pk>/card/", resource(reports.show_card), name="api-model-card"),
    path(
        INSIDE + "models/<number:pk>/reports/",
        resource(reports.list_reports, reports.report),
        name="api-model-reports",
    ),
    path(INSIDE + "reports/<number:pk>/", resource(reports.show_report), name="api-report"),
    path(INSIDE + "lineage/", resource(reports.show_lineage), name="api-lineage"),
    path(INSIDE + "scorings/", resource(scorings.list_scorings, scorings.score), name="api-scorings"),
    path(INSIDE + "scorings/<number:pk>/", resource(scorings.show_scoring), name="api-scoring"),
    path(INSIDE + "leaderboard/", resource(leaderboards.show_leaderboard), name="api-leaderboard"),
    path(INSIDE + "leaderboard/games/", resource(leaderboards.list_games), name="api-games"),
    path(INSIDE + "ablations/", resource(ablations.list_ablations, ablations.ablate), name="api-ablations"),
    path(INSIDE + "ablations/<number:pk>/", resource(ablations.show_ablation), name="api-ablation"),
    path(
        INSIDE + "chosen-pairs/",
        resource(choosing.preview_chosen, choosing.queue_chosen_pairs),
        name="api-chosen-pairs",
    ),
    path(INSIDE + "chosen-tasks/", resource(choosing.list_reasons), name="api-chosen-tasks"),
    path(INSIDE + "runs/", resource(runs.list_runs, runs.launch), name="api-runs"),
    path(INSIDE + "runs/<number:pk>/", resource(runs.show_run), name="api-run"),
    path(INSIDE + "runs/<number:pk>/events/", resource(runs.list_run_events), name="api-run-events"),
    path(INSIDE + "runs/<number:pk>/cancel/", resource(runs.cancel_a_run), name="api-run-cancel"),
    path(INSIDE + "runs/<number:pk>/resume/", resource(runs.resume_a_run), name="api-run-resume"),
    path(INSIDE + "runs/<number:pk>/best/", resource(runs.end_with_best), name="api-run-best"),
    path(
        INSIDE + "generations/",
        resource(generations.list_generations, generations.ask_for_responses),
        name="api-generations",
    ),
    path(INSIDE + "generations/<number:pk>/", resource(generations.show_generation), name="api-generation"),
    path(
        INSIDE + "generations/<number:pk>/cancel/",
        resource(generations.cancel_a_generation),
        name="api-generation-cancel",
    ),
    path(
        INSIDE + "generations/<number:pk>/resume/",
        resource(generations.resume_a_generation),
        name="api-generation-resume",
    ),
    path(
        INSIDE + "evaluations/",
        resource(evaluations.list_evaluations, evaluations.evaluate),
        name="api-evaluations",
    ),
    path(INSIDE + "evaluations/<number:pk>/", resource(evaluations.show_evaluation), name="api-evaluation"),
    path(
        INSIDE + "evaluations/<number:pk>/cancel/",
        resource(evaluations.cancel_an_evaluation),
        name="api-evaluation-cancel",
    ),
    path(
        INSIDE + "evaluations/<number:pk>/resume/",
        resource(evaluations.resume_an_evaluation),
        name="api-evaluation-resume",
    ),
    path(INSIDE + "recipes/", resource(rounds.list_recipes, rounds.write_recipe), name="api-recipes"),
    path(INSIDE + "recipes/<number:pk>/", resource(rounds.show_recipe, rounds.rewrite_recipe), name="api-recipe"),
    path(INSIDE + "rounds/", resource(rounds.list_rounds, rounds.begin_round), name="api-rounds"),
    path(INSIDE + "rounds/<number:pk>/", resource(rounds.show_round), name="api-round"),
    path(INSIDE + "rounds/<number:pk>/cancel/", resource(rounds.cancel_a_round), name="api-round-cancel"),
    path(INSIDE + "rounds/<number:pk>/retry/", resource(rounds.retry_a_step), name="api-round-retry"),
    path(INSIDE + "rounds/<number:pk>/skip/", resource(rounds.skip_a_step), name="api-round-skip"),
    path(INSIDE + "rounds/<number:pk>/take/", resource(rounds.take_policy), name="api-round-take"),
    path(INSIDE + "policies/", resource(rounds.list_policies, rounds.use_policy), name="api-policies"),
    path(INSIDE + "policies/<number:pk>/restore/", resource(rounds.restore_policy), name="api-policy-restore"),
    path(INSIDE + "alarms/", resource(alarms.list_alarms), name="api-alarms"),
    path(INSIDE + "alarms/mail/", resource(alarms.choose_alarm_mail), name="api-alarm-mail"),
    path(INSIDE + "alarms/<number:pk>/", resource(alarms.show_alarm), name="api-alarm"),
    path(INSIDE + "alarms/<number:pk>/acknowledge/", resource(alarms.acknowledge), name="api-alarm-acknowledge"),
]
