from django.urls import path

from training.views import (
    alarms,
    choosing,
    comparisons,
    evaluations,
    generations,
    leaderboard,
    lineage,
    models,
    policies,
    recipes,
    rounds,
    runs,
    summary,
)

urlpatterns = [
    path("projects/<int:project_id>/runs/", runs.project_runs, name="project-runs"),
    path("projects/<int:project_id>/runs/new/", runs.run_create, name="run-create"),
    path("projects/<int:project_id>/runs/compare/", comparisons.run_compare, name="run-compare"),
    path("projects/<int:project_id>/runs/<int:pk>/", runs.run_detail, name="run-detail"),
    path("projects/<int:project_id>/runs/<int:pk>/events/", runs.run_events, name="run-events"),
    path("projects/<int:project_id>/runs/<int:pk>/finish/", alarms.run_finish, name="run-finish"),
    path("projects/<int:project_id>/alarms/", alarms.project_alarms, name="project-alarms"),
    path("projects/<int:project_id>/alarms/mail/", alarms.alarm_mail, name="alarm-mail"),
    path("projects/<int:project_id>/alarms/<int:pk>/acknowledge/", alarms.alarm_acknowledge, name="alarm-acknowledge"),
    path("projects/<int:project_id>/runs/<int:pk>/cancel/", runs.run_cancel, name="run-cancel"),
    path("projects/<int:project_id>/runs/<int:pk>/retry/", runs.run_retry, name="run-retry"),
    path("projects/<int:project_id>/models/", models.project_models, name="project-models"),
    path("projects/<int:project_id>/models/new/", models.model_create, name="model-create"),
    path("projects/<int:project_id>/models/lineage/", lineage.project_lineage, name="project-lineage"),
    path("projects/<int:project_id>/models/<int:pk>/card/", lineage.model_card, name="model-card"),
    path("projects/<int:project_id>/models/<int:pk>/", models.model_detail, name="model-detail"),
    path("projects/<int:project_id>/models/<int:pk>/default/", models.model_make_default, name="model-make-default"),
    path("projects/<int:project_id>/leaderboard/", leaderboard.project_leaderboard, name="project-leaderboard"),
    path("projects/<int:project_id>/leaderboard/games/", leaderboard.leaderboard_games, name="leaderboard-games"),
    path("projects/<int:project_id>/leaderboard/score/", leaderboard.leaderboard_score, name="leaderboard-score"),
    path("projects/<int:project_id>/evaluations/", evaluations.project_evaluations, name="project-evaluations"),
    path("projects/<int:project_id>/evaluations/new/", evaluations.evaluation_create, name="evaluation-create"),
    path("projects/<int:project_id>/evaluations/<int:pk>/", evaluations.evaluation_detail, name="evaluation-detail"),
    path(
        "projects/<int:project_id>/evaluations/<int:pk>/cancel/",
        evaluations.evaluation_cancel,
        name="evaluation-cancel",
    ),
    path(
        "projects/<int:project_id>/evaluations/<int:pk>/retry/", evaluations.evaluation_retry, name="evaluation-retry"
    ),
    path("projects/<int:project_id>/tasks/choose/", choosing.tasks_choose, name="tasks-choose"),
    path("projects/<int:project_id>/tasks/choose/score/", choosing.tasks_score, name="tasks-score"),
    path("projects/<int:project_id>/generations/", generations.project_generations, name="project-generations"),
    path("projects/<int:project_id>/generations/new/", generations.generation_create, name="generation-create"),
    path("projects/<int:project_id>/generations/<int:pk>/", generations.generation_detail, name="generation-detail"),
    path(
        "projects/<int:project_id>/generations/<int:pk>/cancel/",
        generations.generation_cancel,
        name="generation-cancel",
    ),
    path(
        "projects/<int:project_id>/generations/<int:pk>/retry/", generations.generation_retry, name="generation-retry"
    ),
    path("projects/<int:project_id>/rounds/", rounds.project_rounds, name="project-rounds"),
    path("projects/<int:project_id>/rounds/start/", rounds.round_start, name="round-start"),
    path("projects/<int:project_id>/rounds/<int:pk>/", rounds.round_detail, name="round-detail"),
    path("projects/<int:project_id>/rounds/<int:pk>/cancel/", rounds.round_cancel, name="round-cancel"),
    path("projects/<int:project_id>/rounds/<int:pk>/retry/", rounds.round_retry, name="round-retry"),
    path("projects/<int:project_id>/rounds/<int:pk>/skip/", rounds.round_skip, name="round-skip"),
    path("projects/<int:project_id>/rounds/<int:pk>/take/", rounds.round_take, name="round-take"),
    path("projects/<int:project_id>/recipes/", recipes.project_recipes, name="project-recipes"),
    path("projects/<int:project_id>/recipes/new/", recipes.recipe_create, name="recipe-create"),
    path("projects/<int:project_id>/recipes/<int:pk>/", recipes.recipe_edit, name="recipe-edit"),
    path("projects/<int:project_id>/policies/", policies.project_policies, name="project-policies"),
    path("projects/<int:project_id>/policies/<int:pk>/restore/", policies.policy_restore, name="policy-restore"),
    path(
        "projects/<int:project_id>/training-summary/", summary.project_training_summary, name="project-training-summary"
    ),
]
