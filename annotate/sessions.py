"""Sessions and people as Django keeps them in the database, found by prepared statements: every request begins so."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotate.models import User
from annotate.prepared import columns, fetch, fetch_first, load

BY_KEY = f"""
    SELECT {columns(Session, "session")} FROM "{Session._meta.db_table}" AS session
    WHERE session_key = %(key)s AND expire_date > %(now)s
"""

PERSON = f"""
    SELECT {columns(User, "person")} FROM "{User._meta.db_table}" AS person WHERE id = %(user)s
"""


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> AbstractBaseSession | None:
        rows = fetch_first(BY_KEY, {"key": self.session_key, "now": timezone.now()})
        if rows:
            return load(Session, rows[0])
        self._session_key = None
        return None


class PasswordBackend(ModelBackend):
    """Django's own, with the person of a session found by a prepared statement."""

    def get_user(self, user_id: int) -> User | None:
        rows = fetch(PERSON, {"user": user_id})
        user = load(User, rows[0]) if rows else None
        return user if user and self.user_can_authenticate(user) else None
