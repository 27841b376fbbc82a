from django.urls import path

from annotate.views import new_tasks, tasks

urlpatterns = [
    path("projects/<int:project_id>/tasks/", tasks.project_tasks, name="project-tasks"),
    path("projects/<int:project_id>/tasks/new/", new_tasks.task_create, name="task-create"),
    path("projects/<int:project_id>/tasks/<int:pk>/", tasks.task_detail, name="task-detail"),
    path("projects/<int:project_id>/tasks/<int:pk>/close/", tasks.task_close, name="task-close"),
    path("projects/<int:project_id>/tasks/<int:pk>/reopen/", tasks.task_reopen, name="task-reopen"),
    path("projects/<int:project_id>/tasks/<int:pk>/overlap/", tasks.task_overlap, name="task-overlap"),
]
