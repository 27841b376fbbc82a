"""What a monitor says when something goes wrong."""

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["warning", "stop"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`message` and `remedy` are plain sentences; `facts` are the numbers behind them, ready for JSON."""

    kind: str
    message: str
    remedy: str
    severity: Severity = "warning"
    facts: dict[str, Any] = field(default_factory=dict)
