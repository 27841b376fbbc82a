from django.urls import path

from annotate.views import imports, prompts

urlpatterns = [
    path("projects/<int:project_id>/prompts/", prompts.project_prompts, name="project-prompts"),
    path("projects/<int:project_id>/prompts/new/", prompts.prompt_create, name="prompt-create"),
    path("projects/<int:project_id>/prompts/<int:pk>/", prompts.prompt_detail, name="prompt-detail"),
    path("projects/<int:project_id>/prompts/<int:pk>/delete/", prompts.prompt_delete, name="prompt-delete"),
    path("projects/<int:project_id>/imports/", imports.project_imports, name="project-imports"),
    path("projects/<int:project_id>/imports/new/", imports.import_create, name="import-create"),
    path("projects/<int:project_id>/imports/<int:pk>/", imports.import_detail, name="import-detail"),
    path("projects/<int:project_id>/imports/<int:pk>/resume/", imports.import_resume, name="import-resume"),
    path("projects/<int:project_id>/imports/<int:pk>/cancel/", imports.import_cancel, name="import-cancel"),
    path("projects/<int:project_id>/imports/<int:pk>/refused.jsonl", imports.import_refused, name="import-refused"),
    path(
        "projects/<int:project_id>/imports/<int:pk>/refused.csv", imports.import_refused_csv, name="import-refused-csv"
    ),
]
