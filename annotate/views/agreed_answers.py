"""After an answer to a task whose agreed answer is shown: what was said, what was agreed on and why."""

from typing import Any

from django.http import Http404

from annotate.forms.answers.answer_form import AnswerForm, flags_field
from annotate.models import Judgement, Lease, Project
from annotate.services import judging
from annotate.services.answers.kinds import RELATED, describe_judgement
from annotate.services.answers.shown import Shown, responses_shown
from annotate.services.known_answers import agreed_judgement
from annotate.views.kinds import KINDS


def agreed_context(lease: Lease, project: Project) -> dict[str, Any]:
    """What the step between two tasks is drawn from. Http404 where the person has not answered, or is shown nothing."""
    judgement = find_answer(lease)
    known = agreed_judgement(lease.task) if lease.task.shows_agreed_answer() else None
    if judgement is None or known is None:
        raise Http404("No agreed answer to show you.")
    shown = responses_shown(lease)
    names = {entry.response.pk: entry.letter for entry in shown}
    return {
        "step": lease.task,
        "prompt": lease.task.prompt,
        "form": read_only_form(project, judgement, shown),
        "task_template": KINDS[lease.task.kind].task_template,
        "judgement": judgement,
        "last": judgement,
        "said": describe_judgement(judgement, names),
        "agreed": describe_judgement(known, names),
    }


def find_answer(lease: Lease) -> Judgement | None:
    """What its person said of the task, as it stands."""
    answers = Judgement.objects.answers().filter(task=lease.task_id, annotator=lease.annotator_id)
    return answers.select_related(*RELATED).first()


def read_only_form(project: Project, judgement: Judgement, shown: list[Shown]) -> AnswerForm:
    """The responses as they were shown; nothing can be marked any more."""
    form = KINDS[judgement.kind].form(project=project, shown=shown, initial=judging.draft_of(judgement, shown))
    for entry in shown:
        form.fields.pop(flags_field(entry), None)
    return form
