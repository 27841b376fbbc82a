"""What each kind of judgement does with its answer."""

from annotate.models import Judgement, Kind
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.comparison import COMPARISON
from annotate.services.answers.demonstration import DEMONSTRATION
from annotate.services.answers.edit import EDIT
from annotate.services.answers.ranking import RANKING
from annotate.services.answers.rating import RATING
from annotate.services.answers.spans import SPANS

ANSWER_KINDS: dict[str, AnswerKind] = {
    Kind.COMPARISON: COMPARISON,
    Kind.CHAT: COMPARISON,
    Kind.RANKING: RANKING,
    Kind.RATING: RATING,
    Kind.DEMONSTRATION: DEMONSTRATION,
    Kind.EDIT: EDIT,
    Kind.SPANS: SPANS,
}
RELATED = [kind.related for kind in ANSWER_KINDS.values()]  # for select_related, where kinds mix


def describe_judgement(judgement: Judgement, names: dict[int, str]) -> str:
    """A judgement in words: what was said of the responses by these names, why it was skipped, or taken back."""
    if judgement.outcome == Judgement.Outcome.SKIP:
        return f"Skipped: {judgement.skip_reason}"
    if judgement.outcome == Judgement.Outcome.UNDONE:
        return "Taken back"
    return ANSWER_KINDS[judgement.kind].describe(judgement, names)
