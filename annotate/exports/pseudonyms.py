"""Names for people in exported files: stable in a project, different in another, never an address."""

from functools import lru_cache

from django.utils.crypto import salted_hmac


@lru_cache(maxsize=10_000)
def pseudonym(project_id: int, person: int | str) -> str:
    """A person's name in this project's exports, from their id (or the name they are known by) and SECRET_KEY."""
    digest = salted_hmac(f"plumbline.pseudonym.{project_id}", str(person), algorithm="sha256").hexdigest()
    return f"person-{digest[:12]}"
