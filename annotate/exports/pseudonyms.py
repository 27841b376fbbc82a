"""Names for people in exported files: stable in a project, different in another, never an address."""

import re
from functools import lru_cache

from django.utils.crypto import salted_hmac

from annotate.models import Author

PSEUDONYM = re.compile(r"person-[0-9a-f]{12}")


@lru_cache(maxsize=10_000)
def pseudonym(project_id: int, person: int | str) -> str:
    """A person's name in this project's exports, from their id (or the name they are known by) and SECRET_KEY."""
    digest = salted_hmac(f"plumbline.pseudonym.{project_id}", str(person), algorithm="sha256").hexdigest()
    return f"person-{digest[:12]}"


@lru_cache(maxsize=10_000)
def name_author(project_id: int, kind: str, name: str, user_id: int | None) -> str:
    """A model's or a file's own name; a pseudonym for a person. One that came with our own file is kept as it is."""
    if kind != Author.Kind.PERSON or (user_id is None and PSEUDONYM.fullmatch(name)):
        return name
    return pseudonym(project_id, user_id or name)
