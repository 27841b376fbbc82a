"""The addresses of /api/v1/ that concern judging, each with its operations."""

from django.urls import path, register_converter

from annotate.api import imports, judging, people, projects, prompts, quality, snapshots, tasks
from annotate.api.numbers import NumberConverter
from annotate.api.resources import resource

register_converter(NumberConverter, "number")
INSIDE = "projects/<number:project_id>/"

urlpatterns = [
    path("me/", resource(projects.show_me), name="api-me"),
    path("projects/", resource(projects.list_projects, projects.create_a_project), name="api-projects"),
    path(INSIDE, resource(projects.show_project), name="api-project"),
    path(INSIDE + "settings/", resource(projects.show_settings, projects.change_settings), name="api-project-settings"),
    path(INSIDE + "archived/", resource(projects.archive), name="api-project-archived"),
    path(
        INSIDE + "guidelines/",
        resource(projects.list_guidelines, projects.save_new_guidelines),
        name="api-guidelines",
    ),
    path(INSIDE + "guidelines/<number:version>/", resource(projects.show_guideline), name="api-guideline"),
    path(
        INSIDE + "guidelines/<number:version>/read/", resource(projects.say_guideline_read), name="api-guideline-read"
    ),
    path(INSIDE + "kinds/<slug:kind>/", resource(projects.turn_kind_on, projects.turn_kind_off), name="api-kind"),
    path(INSIDE + "audit/", resource(projects.list_audit_events), name="api-audit"),
    path(INSIDE + "members/", resource(people.list_members), name="api-members"),
    path(
        INSIDE + "members/<number:pk>/",
        resource(people.show_member, people.change_member, people.remove_a_member),
        name="api-member",
    ),
    path(INSIDE + "invitations/", resource(people.list_invitations, people.invite_somebody), name="api-invitations"),
    path(INSIDE + "invitations/<number:pk>/", resource(people.revoke_an_invitation), name="api-invitation"),
    path(INSIDE + "prompts/", resource(prompts.list_prompts, prompts.send_prompts), name="api-prompts"),
    path(INSIDE + "prompts/<number:pk>/", resource(prompts.show_prompt, prompts.delete_a_prompt), name="api-prompt"),
    path(INSIDE + "prompts/<number:pk>/responses/", resource(prompts.list_responses), name="api-prompt-responses"),
    path(INSIDE + "responses/", resource(prompts.send_responses), name="api-responses"),
    path(INSIDE + "tasks/", resource(tasks.list_tasks, tasks.queue_tasks), name="api-tasks"),
    path(INSIDE + "tasks/planned/", resource(tasks.queue_planned_tasks), name="api-tasks-planned"),
    path(INSIDE + "tasks/<number:pk>/", resource(tasks.show_task, tasks.change_task), name="api-task"),
    path(INSIDE + "tasks/<number:pk>/known/", resource(quality.agree_on_answer), name="api-task-known"),
    path(INSIDE + "tasks/<number:pk>/retired/", resource(quality.retire_known_task), name="api-task-retired"),
    path(INSIDE + "tasks/<number:pk>/decision/", resource(quality.decide), name="api-task-decision"),
    path(INSIDE + "known-tasks/", resource(quality.list_known_tasks), name="api-known-tasks"),
    path(INSIDE + "disagreements/", resource(quality.list_disagreements), name="api-disagreements"),
    path(INSIDE + "quality/", resource(quality.show_quality), name="api-quality"),
    path(INSIDE + "members/<number:pk>/standing/", resource(quality.decide_standing), name="api-member-standing"),
    path(INSIDE + "judgements/", resource(tasks.list_judgements), name="api-judgements"),
    path(INSIDE + "judgements/<number:pk>/", resource(tasks.show_judgement), name="api-judgement"),
    path(
        INSIDE + "judgements/<number:pk>/comments/",
        resource(quality.list_comments, quality.comment),
        name="api-comments",
    ),
    path(INSIDE + "my-judgements/", resource(judging.list_own_judgements), name="api-my-judgements"),
    path(INSIDE + "my-judgements/<number:pk>/undo/", resource(judging.undo), name="api-my-judgement-undo"),
    path(
        INSIDE + "my-judgements/<number:pk>/comments/",
        resource(quality.list_own_comments, quality.reply),
        name="api-my-comments",
    ),
    path(INSIDE + "my-progress/", resource(judging.show_progress), name="api-my-progress"),
    path(INSIDE + "next-task/", resource(judging.take_next_task), name="api-next-task"),
    path(INSIDE + "leases/<number:pk>/", resource(judging.show_lease, judging.hand_back), name="api-lease"),
    path(INSIDE + "leases/<number:pk>/heartbeat/", resource(judging.hold_longer), name="api-lease-heartbeat"),
    path(INSIDE + "leases/<number:pk>/judgement/", resource(judging.judge), name="api-lease-judgement"),
    path(INSIDE + "leases/<number:pk>/skip/", resource(judging.skip), name="api-lease-skip"),
    path(INSIDE + "snapshots/", resource(snapshots.list_snapshots, snapshots.freeze_snapshot), name="api-snapshots"),
    path(INSIDE + "snapshots/<number:pk>/", resource(snapshots.show_snapshot), name="api-snapshot"),
    path(INSIDE + "snapshots/<number:pk>/retry/", resource(snapshots.retry_a_snapshot), name="api-snapshot-retry"),
    path(
        INSIDE + "snapshots/<number:pk>/download/<slug:form>/",
        resource(snapshots.download_snapshot),
        name="api-snapshot-download",
    ),
    path(INSIDE + "imports/", resource(imports.list_imports, imports.send_file, takes_files=True), name="api-imports"),
    path(INSIDE + "imports/<number:pk>/", resource(imports.show_import, imports.change_import), name="api-import"),
    path(INSIDE + "imports/<number:pk>/confirm/", resource(imports.confirm_an_import), name="api-import-confirm"),
    path(INSIDE + "imports/<number:pk>/cancel/", resource(imports.cancel_an_import), name="api-import-cancel"),
    path(INSIDE + "imports/<number:pk>/refused/", resource(imports.list_refused_rows), name="api-import-refused"),
]
