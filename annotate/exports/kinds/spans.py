"""Fine-grained feedback: marked passages and a critique. No trainer's form has a word for it but the lossless one."""

from __future__ import annotations

from typing import Any

from annotate.exports.kinds.kind_export import KindExport
from annotate.exports.rows import Row
from annotate.models import SpanFeedback


def said(row: Row) -> dict[str, Any]:
    answer = row.answer
    return {"response": row.place(answer.response_id), "spans": answer.spans, "critique": answer.critique}


SPANS = KindExport(answer=SpanFeedback, said=said, remark=lambda row: "spans")
