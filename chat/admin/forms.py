"""Bases of the admin's forms and of its questions before a deletion."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

MAX_NAMED = 20  # objects in a question; it counts further ones


class ChangedOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """A form that writes only the columns that its user changed.

    Others change a row between its reading and its saving: the journal numbers messages, an admin
    closes the room. The form holds the row as it was when its page was rendered.
    """

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest | None, **kwargs: Any
    ) -> Any:
        """Return a field with its initial value in a hidden input.

        Without it, a change that somebody else made meanwhile counts as one of this form.
        """
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[arg-type]
        if field is not None and not db_field.many_to_many:
            field.show_hidden_initial = True
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        changed = {name: getattr(obj, name) for name in form.changed_data if name in columns}
        # By query, because a row that was deleted meanwhile is no error.
        if changed:
            type(obj)._default_manager.filter(pk=obj.pk).update(**changed)


class BriefQuestion(admin.ModelAdmin):  # type: ignore[type-arg]
    """Admin that asks before a deletion without a list of dependent rows.

    There may be any number of them.
    """

    # Rows that are deleted with a row: their model, and its field that names the row.
    goes_with: tuple[tuple[type[models.Model], str], ...] = ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions; `delete_selected` asks the question of this class."""
        found: dict[str, Any] = dict(super().get_actions(request))
        if "delete_selected" in found:
            name, words = found["delete_selected"][1:]
            found["delete_selected"] = (type(self)._delete_selected, name, words)
        return found

    def _delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> TemplateResponse | None:
        """Ask, and delete after the confirmation.

        Django's own question has a field for each row, and a form may have a thousand fields. This
        question names the last row at its time, so that later rows stay.
        """
        through = request.POST.get("through", "")
        if through.isdecimal():
            queryset = queryset.filter(pk__lte=int(through))
        named, counts, forbidden, _prevented = self.get_deleted_objects(queryset, request)
        count = counts[self.opts.verbose_name_plural]
        if request.POST.get("post") and count:
            if forbidden:
                raise PermissionDenied
            self.log_selected(request, queryset, count)
            self.delete_queryset(request, queryset)
            words = _("Deleted %(count)d %(items)s.")
            told = {"count": count, "items": model_ngettext(self.opts, count)}
            self.message_user(request, words % told, messages.SUCCESS)
            return None
        across = request.POST.get("select_across") == "1"
        context = {
            **self.admin_site.each_context(request),
            "title": _("Cannot delete these") if forbidden else _("Are you sure?"),
            "named": named,
            "model_count": counts.items(),
            "perms_lacking": forbidden,
            "opts": self.opts,
            "media": self.media,
            "across": across,
            "through": queryset.order_by().aggregate(last=models.Max("pk"))["last"],
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/delete_selected.html", context)

    def log_selected(self, request: HttpRequest, queryset: QuerySet[Any], count: int) -> None:
        """Log the rows that will be deleted."""
        self.log_deletions(request, queryset)

    def get_deleted_objects(
        self, objs: QuerySet[Any] | Sequence[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """Return names to show, counts, missing permissions, and obstacles."""
        count = objs.count() if isinstance(objs, QuerySet) else len(objs)
        named: list[str] = [str(one) for one in objs[:MAX_NAMED]]
        if count > len(named):
            named.append(_("… and %(count)d more") % {"count": count - len(named)})
        counts: dict[Any, int] = {self.opts.verbose_name_plural: count}
        forbidden = set()
        if not self.has_delete_permission(request):
            forbidden.add(self.opts.verbose_name)
        pks = objs.values("pk") if isinstance(objs, QuerySet) else [one.pk for one in objs]
        for model, field in self.goes_with:
            number = model._default_manager.filter(**{f"{field}__in": pks}).count()
            if not number:
                continue
            counts[model._meta.verbose_name_plural] = number
            if not self.admin_site._registry[model].has_delete_permission(request):
                forbidden.add(model._meta.verbose_name)
        return named, counts, forbidden, []
