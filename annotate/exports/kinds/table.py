"""What exports make of each kind of judgement."""

from annotate.exports.kinds.comparison import COMPARISON
from annotate.exports.kinds.kind_export import KindExport
from annotate.exports.kinds.ranking import RANKING
from annotate.exports.kinds.rating import RATING
from annotate.exports.kinds.spans import SPANS
from annotate.exports.kinds.writing import DEMONSTRATION, EDIT
from annotate.models import Kind

KIND_EXPORTS: dict[str, KindExport] = {
    Kind.COMPARISON: COMPARISON,
    Kind.RANKING: RANKING,
    Kind.RATING: RATING,
    Kind.DEMONSTRATION: DEMONSTRATION,
    Kind.EDIT: EDIT,
    Kind.SPANS: SPANS,
    Kind.CHAT: COMPARISON,
}
