"""Groups of annotators that are large enough to be shown: who of them answered a background question how."""

from __future__ import annotations

from annotate.models import Project, QuestionnaireAnswer, QuestionnaireItem
from annotate.services.questionnaires import count_answers


def annotator_groups(project: Project) -> dict[str, set[int]]:
    """{"question: answer": user ids} of the answers whose counts may be shown."""
    shown = {
        (item, option.option): option.count
        for item, options in count_answers(project).items()
        for option in options
        if option.option and option.count
    }
    questions = dict(QuestionnaireItem.objects.of_project(project).values_list("pk", "question"))
    found: dict[str, set[int]] = {}
    rows = QuestionnaireAnswer.objects.of_project(project).order_by("item__position", "item", "answer")
    for item, answer, user in rows.values_list("item", "answer", "user"):
        if (item, answer) in shown:
            found.setdefault(f"{questions[item]} {answer}", set()).add(user)
    return found
