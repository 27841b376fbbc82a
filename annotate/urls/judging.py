from django.urls import path

from annotate.views import history, judging, leases, preview, reading

urlpatterns = [
    path("projects/<int:project_id>/judge/", judging.judge, name="judge"),
    path("projects/<int:project_id>/judge/ahead/", judging.ahead, name="judge-ahead"),
    path("projects/<int:project_id>/judge/agreed/<int:lease_id>/", judging.agreed, name="judge-agreed"),
    path("projects/<int:project_id>/judge/texts/", reading.texts, name="judge-texts"),
    path("projects/<int:project_id>/judge/skip/", judging.skip, name="judge-skip"),
    path("projects/<int:project_id>/judge/undo/", judging.undo, name="judge-undo"),
    path("projects/<int:project_id>/judge/guidelines/", judging.guidelines, name="judge-guidelines"),
    path("projects/<int:project_id>/judge/guidelines/read/", judging.guidelines_read, name="judge-guidelines-read"),
    path("projects/<int:project_id>/judge/heartbeat/", leases.heartbeat, name="judge-heartbeat"),
    path("projects/<int:project_id>/judge/draft/", leases.save_draft, name="judge-draft"),
    path("projects/<int:project_id>/judge/return/", leases.return_lease, name="judge-return"),
    path("projects/<int:project_id>/judge/preview/", preview.preview, name="judge-preview"),
    path("projects/<int:project_id>/history/", history.history, name="judgement-history"),
    path("projects/<int:project_id>/history/<int:lease_id>/", history.open_judged, name="judgement-open"),
]
