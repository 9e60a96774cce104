"""Accounts in Django admin, by the rules of all forms of Noom's."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import forms as admin_forms
from django.contrib.auth import admin as auth
from django.contrib.auth import forms
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy

from chat.admin.forms import ChangedOnly

admin.site.unregister([User, Group])


class PasswordAlone:
    """A form of a password that writes no other column of the account."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)  # type: ignore[misc]
        if commit:
            user.save(update_fields=["password"])
        return user


class PasswordForm(PasswordAlone, forms.AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Gives an account another password."""


class OwnPasswordForm(PasswordAlone, admin_forms.AdminPasswordChangeForm):
    """Gives one's own account another password."""


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """The page of Django's admin for it, with our form."""
    return PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse_lazy("admin:password_change_done"),
        extra_context=admin.site.each_context(request),
    )(request)


@admin.register(User)
class UserAdmin(ChangedOnly, auth.UserAdmin):  # type: ignore[type-arg]
    """Who may log in to the admin."""

    change_password_form: Any = PasswordForm


@admin.register(Group)
class GroupAdmin(ChangedOnly, auth.GroupAdmin):
    """Permissions that several accounts share."""
