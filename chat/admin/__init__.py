"""Django admin of rooms, messages, accounts and the action log."""

from chat.admin import accounts, action_log, messages, rooms  # noqa: F401 - Django registers by import
