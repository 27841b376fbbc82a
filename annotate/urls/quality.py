from django.urls import path

from annotate.views import known_answers

urlpatterns = [
    path("projects/<int:project_id>/quality/known/", known_answers.project_known, name="project-known"),
    path("projects/<int:project_id>/tasks/<int:pk>/known/", known_answers.task_known, name="task-known"),
    path("projects/<int:project_id>/tasks/<int:pk>/retire/", known_answers.task_known_retire, name="task-known-retire"),
]
