"""How each kind of task is judged on the page: its form and its templates. Its keys are static/js/judging/kinds/."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.answers.comparison import ComparisonForm
from annotate.forms.answers.demonstration import DemonstrationForm
from annotate.forms.answers.edit import EditForm
from annotate.forms.answers.ranking import RankingForm
from annotate.forms.answers.rating import RatingForm
from annotate.forms.answers.spans import SpansForm
from annotate.models import Kind, Lease, Project
from annotate.services.answers.shown import responses_shown


@dataclass(frozen=True)
class KindPage:
    """`task_template` is what is read, `verdict_template` what is answered, `keys_template` the kind's keys."""

    form: type[AnswerForm]
    task_template: str
    verdict_template: str
    keys_template: str


KINDS: dict[str, KindPage] = {
    Kind.COMPARISON: KindPage(
        ComparisonForm,
        "judging/_panes.html",
        "judging/kinds/comparison.html",
        "judging/kinds/comparison_keys.html",
    ),
    Kind.CHAT: KindPage(  # a choice that is corrected later; the chat itself has a page of its own
        ComparisonForm,
        "judging/_panes.html",
        "judging/kinds/comparison.html",
        "judging/kinds/comparison_keys.html",
    ),
    Kind.RANKING: KindPage(
        RankingForm, "judging/_panes.html", "judging/kinds/ranking.html", "judging/kinds/ranking_keys.html"
    ),
    Kind.RATING: KindPage(
        RatingForm, "judging/_panes.html", "judging/kinds/rating.html", "judging/kinds/rating_keys.html"
    ),
    Kind.DEMONSTRATION: KindPage(
        DemonstrationForm,
        "judging/kinds/demonstration_task.html",
        "judging/kinds/demonstration.html",
        "judging/kinds/demonstration_keys.html",
    ),
    Kind.EDIT: KindPage(
        EditForm, "judging/kinds/edit_task.html", "judging/kinds/edit.html", "judging/kinds/edit_keys.html"
    ),
    Kind.SPANS: KindPage(
        SpansForm, "judging/kinds/spans_task.html", "judging/kinds/spans.html", "judging/kinds/spans_keys.html"
    ),
}


def kind_context(kind: str) -> dict[str, str]:
    """What the judging page's templates read of the kind."""
    page = KINDS[kind]
    return {
        "kind": kind,
        "task_template": page.task_template,
        "verdict_template": page.verdict_template,
        "keys_template": page.keys_template,
    }


def bind_form(lease: Lease, project: Project, data: Mapping[str, Any], *, lenient: bool = False) -> AnswerForm:
    """The form of the lease's task with what was posted."""
    form = KINDS[lease.task.kind].form
    return form(data, project=project, shown=responses_shown(lease), lenient=lenient)
