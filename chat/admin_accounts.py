"""Accounts in Django admin, by the rules of all forms of Noom's."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, User

from chat.admin_forms import ChangedOnly

admin.site.unregister([User, Group])


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Gives an account another password."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


@admin.register(User)
class UserAdmin(ChangedOnly, auth.UserAdmin):  # type: ignore[type-arg]
    """Who may log in to the admin."""

    change_password_form: Any = PasswordForm


@admin.register(Group)
class GroupAdmin(ChangedOnly, auth.GroupAdmin):
    """Permissions that several accounts share."""
