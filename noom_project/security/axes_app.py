"""django-axes under a name that says what it shows in the admin."""

from axes.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoginLock(AppConfig):
    """The lock at the admin's door."""

    default = False  # of nothing: the settings name it
    verbose_name = _("Login attempts")
