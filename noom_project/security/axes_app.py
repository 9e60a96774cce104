"""django-axes under a name that fits its pages in the admin."""

from axes.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoginLock(AppConfig):
    """The login lock of the admin."""

    default = False  # the settings name it
    verbose_name = _("Login attempts")
