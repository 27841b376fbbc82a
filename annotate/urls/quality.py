from django.urls import path

from annotate.views import known_answers, quality

urlpatterns = [
    path("projects/<int:project_id>/quality/", quality.project_quality, name="project-quality"),
    path("projects/<int:project_id>/quality/known/", known_answers.project_known, name="project-known"),
    path(
        "projects/<int:project_id>/quality/settings/", quality.project_quality_settings, name="project-quality-settings"
    ),
    path("projects/<int:project_id>/quality/people/<int:pk>/", quality.member_quality, name="member-quality"),
    path("projects/<int:project_id>/quality/people/<int:pk>/decide/", quality.member_standing, name="member-standing"),
    path("projects/<int:project_id>/tasks/<int:pk>/known/", known_answers.task_known, name="task-known"),
    path("projects/<int:project_id>/tasks/<int:pk>/retire/", known_answers.task_known_retire, name="task-known-retire"),
]
