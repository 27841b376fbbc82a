"""What the API refuses."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ApiError(Exception):
    """A problem, as the API describes it (RFC 9457). `errors` is {field: sentence}."""

    status: int
    title: str
    detail: str
    errors: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        fields = "".join(f" {name}: {text}" for name, text in self.errors.items())
        return f"{self.status} {self.title}: {self.detail}{fields}"
