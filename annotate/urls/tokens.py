from django.urls import path

from annotate.views import tokens

urlpatterns = [
    path("account/tokens/", tokens.my_tokens, name="my-tokens"),
    path("account/tokens/<int:pk>/revoke/", tokens.my_token_revoke, name="token-revoke-own"),
    path("projects/<int:project_id>/tokens/", tokens.project_tokens, name="project-tokens"),
    path("projects/<int:project_id>/tokens/<int:pk>/revoke/", tokens.project_token_revoke, name="token-revoke"),
]
