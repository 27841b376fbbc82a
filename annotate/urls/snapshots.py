from django.urls import path

from annotate.views import snapshots

urlpatterns = [
    path("projects/<int:project_id>/snapshots/", snapshots.project_snapshots, name="project-snapshots"),
    path("projects/<int:project_id>/snapshots/new/", snapshots.snapshot_create, name="snapshot-create"),
    path("projects/<int:project_id>/snapshots/<int:pk>/", snapshots.snapshot_detail, name="snapshot-detail"),
    path("projects/<int:project_id>/snapshots/<int:pk>/retry/", snapshots.snapshot_retry, name="snapshot-retry"),
    path("projects/<int:project_id>/snapshots/<int:pk>/prepare/", snapshots.snapshot_prepare, name="snapshot-prepare"),
    path("projects/<int:project_id>/snapshots/<int:pk>/card/", snapshots.snapshot_card, name="snapshot-card"),
    path(
        "projects/<int:project_id>/snapshots/<int:pk>/download/<slug:form>/",
        snapshots.snapshot_download,
        name="snapshot-download",
    ),
]
