from django.urls import include, path

urlpatterns = [
    path("", include("annotate.urls.account")),
    path("", include("annotate.urls.projects")),
    path("", include("annotate.urls.prompts")),
    path("", include("annotate.urls.tasks")),
    path("", include("annotate.urls.judging")),
    path("", include("annotate.urls.snapshots")),
    path("", include("training.urls")),
]
