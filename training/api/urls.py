"""The addresses of /api/v1/ that concern models and runs, each with its operations."""

from django.urls import path

from annotate.api.resources import resource
from annotate.api.urls import INSIDE
from training.api import generations, models, runs

urlpatterns = [
    path("algorithms/", resource(runs.list_algorithms), name="api-algorithms"),
    path(INSIDE + "models/", resource(models.list_models, models.add_a_model), name="api-models"),
    path(INSIDE + "models/<number:pk>/", resource(models.show_model), name="api-model"),
    path(INSIDE + "models/<number:pk>/default/", resource(models.make_default_model), name="api-model-default"),
    path(INSIDE + "runs/", resource(runs.list_runs, runs.launch), name="api-runs"),
    path(INSIDE + "runs/<number:pk>/", resource(runs.show_run), name="api-run"),
    path(INSIDE + "runs/<number:pk>/events/", resource(runs.list_run_events), name="api-run-events"),
    path(INSIDE + "runs/<number:pk>/cancel/", resource(runs.cancel_a_run), name="api-run-cancel"),
    path(INSIDE + "runs/<number:pk>/resume/", resource(runs.resume_a_run), name="api-run-resume"),
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
]
