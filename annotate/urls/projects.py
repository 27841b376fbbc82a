from django.urls import path

from annotate.views import guidelines, kind_settings, overview, people, projects

urlpatterns = [
    path("projects/new/", projects.project_create, name="project-create"),
    path("projects/<int:project_id>/", overview.project_overview, name="project-overview"),
    path("projects/<int:project_id>/settings/", projects.project_settings, name="project-settings"),
    path("projects/<int:project_id>/settings/<slug:kind>/", kind_settings.kind_settings, name="kind-settings"),
    path("projects/<int:project_id>/settings/<slug:kind>/off/", kind_settings.kind_turn_off, name="kind-turn-off"),
    path("projects/<int:project_id>/archive/", projects.project_archive, name="project-archive"),
    path("projects/<int:project_id>/audit/", projects.project_audit, name="project-audit"),
    path("projects/<int:project_id>/people/", people.project_people, name="project-people"),
    path("projects/<int:project_id>/people/<int:pk>/", people.member_change, name="member-change"),
    path("projects/<int:project_id>/people/<int:pk>/remove/", people.member_remove, name="member-remove"),
    path("projects/<int:project_id>/invitations/<int:pk>/renew/", people.invitation_renew, name="invitation-renew"),
    path("projects/<int:project_id>/invitations/<int:pk>/revoke/", people.invitation_revoke, name="invitation-revoke"),
    path("projects/<int:project_id>/guidelines/", guidelines.project_guidelines, name="project-guidelines"),
    path("projects/<int:project_id>/guidelines/edit/", guidelines.guidelines_edit, name="guidelines-edit"),
    path(
        "projects/<int:project_id>/guidelines/<int:version>/", guidelines.project_guidelines, name="guideline-version"
    ),
]
