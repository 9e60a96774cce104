"""Accounts in Django admin, whose forms write changed columns only."""

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
    """A password form that writes no other column of the account."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)  # type: ignore[misc]
        if commit:
            user.save(update_fields=["password"])
        return user


class PasswordForm(PasswordAlone, forms.AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Form for the password of any account."""


class OwnPasswordForm(PasswordAlone, admin_forms.AdminPasswordChangeForm):
    """Form for the password of one's own account."""


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """Show Django's page for one's own password, with OwnPasswordForm."""
    return PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse_lazy("admin:password_change_done"),
        extra_context=admin.site.each_context(request),
    )(request)


@admin.register(User)
class UserAdmin(ChangedOnly, auth.UserAdmin):  # type: ignore[type-arg]
    """Accounts of the admin."""

    change_password_form: Any = PasswordForm


@admin.register(Group)
class GroupAdmin(ChangedOnly, auth.GroupAdmin):
    """Permissions that several accounts share."""
