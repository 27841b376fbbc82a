from django.urls import path

from annotate.views import webhooks

urlpatterns = [
    path("projects/<int:project_id>/webhooks/", webhooks.project_webhooks, name="project-webhooks"),
    path("projects/<int:project_id>/webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook-detail"),
    path("projects/<int:project_id>/webhooks/<int:pk>/change/", webhooks.webhook_change, name="webhook-change"),
    path("projects/<int:project_id>/webhooks/again/<int:pk>/", webhooks.delivery_again, name="delivery-again"),
]
