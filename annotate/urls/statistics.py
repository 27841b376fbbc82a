from django.urls import path

from annotate.views import questionnaires, statistics

urlpatterns = [
    path("projects/<int:project_id>/me/", statistics.my_statistics, name="my-statistics"),
    path("projects/<int:project_id>/me/time.csv", statistics.my_time, name="my-time"),
    path("projects/<int:project_id>/me/background/", questionnaires.my_background, name="my-background"),
    path(
        "projects/<int:project_id>/me/background/withdraw/",
        questionnaires.my_background_withdraw,
        name="my-background-withdraw",
    ),
    path("projects/<int:project_id>/people/time/", statistics.project_time, name="project-time"),
    path("projects/<int:project_id>/people/time.csv", statistics.project_time_file, name="project-time-file"),
    path(
        "projects/<int:project_id>/questionnaire/", questionnaires.project_questionnaire, name="project-questionnaire"
    ),
    path("projects/<int:project_id>/questionnaire/<int:pk>/", questionnaires.question_retire, name="question-retire"),
]
