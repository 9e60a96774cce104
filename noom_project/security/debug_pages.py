"""Django's error pages with DEBUG, without secrets."""

from collections.abc import ItemsView
from pprint import pformat
from types import FrameType
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from noom_project.config import secret_masking


def _hidden(text: str) -> str:
    return secret_masking.hide(str(text), settings.HIDDEN_SECRETS)


class _Shown:
    """A local variable as the page prints it, with its secrets hidden.

    Django cuts long values later, and half of a secret would not be recognised.
    """

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        try:
            return _hidden(pformat(self._value))
        except Exception as error:
            return f"(no repr: {type(error).__name__})"


class Filter(SafeExceptionReporterFilter):
    """Hides secrets by value; stock Django hides by name, and not DATABASE_URL."""

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        return _hidden(cleansed) if isinstance(cleansed, str) else cleansed

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        found = super().get_traceback_frame_variables(request, tb_frame)
        return {name: _Shown(value) for name, value in found}.items()


class Reporter(ExceptionReporter):
    """Hides secrets that pass the filter, in messages of errors and lines of source."""

    def get_traceback_html(self) -> str:  # type: ignore[override]  # an answer takes any text
        return _hidden(super().get_traceback_html())

    def get_traceback_text(self) -> str:  # type: ignore[override]
        return _hidden(super().get_traceback_text())
