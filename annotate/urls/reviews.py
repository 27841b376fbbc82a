from django.urls import path

from annotate.views import messages, reviews

urlpatterns = [
    path("messages/", messages.my_messages, name="my-messages"),
    path("projects/<int:project_id>/review/", reviews.project_review, name="project-review"),
    path("projects/<int:project_id>/review/<int:pk>/", reviews.task_review, name="task-review"),
    path("projects/<int:project_id>/review/<int:pk>/comments/", reviews.task_comment, name="task-comment"),
    path("projects/<int:project_id>/history/<int:lease_id>/reply/", messages.judgement_reply, name="judgement-reply"),
]
