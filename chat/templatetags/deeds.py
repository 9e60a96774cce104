"""`{{ entry|deed }}`: an entry of the admin's log in the reader's language."""

from django import template
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext

register = template.Library()


@register.filter
def deed(entry: LogEntry) -> str:
    """Describe an action in the reader's language.

    In Noom's own entries a colon divides the action and its object.
    """
    words, colon, rest = entry.get_change_message().partition(": ")
    return f"{gettext(words)}{colon}{rest}" if words else entry.get_action_flag_display()
