from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, *, name: str = "", is_staff: bool = False) -> User:
        """Make a user who signs in with this address. Addresses are kept in lower case."""
        user = self.model(email=email.strip().lower(), name=name.strip(), is_staff=is_staff)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, *, name: str = "") -> User:
        user = self.create_user(email, password, name=name, is_staff=True)
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail. Staff create projects; what else a person may do is in their memberships."""

    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120)
    is_staff = models.BooleanField("may create projects", default=False)
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False, editable=False)  # a program's account, which only its token opens
    preferences = models.JSONField(default=dict, blank=True)  # of the judging page: keys, reading aids
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_unique_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email
