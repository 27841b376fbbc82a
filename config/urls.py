from django.urls import include, path

from config.health import show_health

urlpatterns = [
    path("healthz", show_health, name="health"),
    path("", include("annotate.urls.judging")),  # what is asked for most is found first
    path("", include("annotate.urls.account")),
    path("", include("annotate.urls.tokens")),
    path("", include("annotate.urls.projects")),
    path("", include("annotate.urls.prompts")),
    path("", include("annotate.urls.tasks")),
    path("", include("annotate.urls.chat")),
    path("", include("annotate.urls.reviews")),
    path("", include("annotate.urls.snapshots")),
    path("", include("annotate.urls.statistics")),
    path("", include("annotate.urls.quality")),
    path("", include("annotate.urls.webhooks")),
    path("", include("training.urls")),
    path("api/v1/", include("annotate.api.urls")),
    path("api/v1/", include("training.api.urls")),
    path("api/v1/", include("annotate.api.about_urls")),
]
