"""Django admin: rooms as they are now, messages, accounts, and the log of what admins did."""

from chat.admin import accounts, action_log, messages, rooms  # noqa: F401 - Django registers by import
