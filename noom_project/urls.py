"""The addresses of Noom's pages."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from chat.admin.accounts import change_own_password
from chat.views import redirect_unknown
from noom_project.security.admin_login import LoginForm

admin.site.login_form = LoginForm

urlpatterns = [
    path("admin/password_change/", admin.site.admin_view(change_own_password, cacheable=True)),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index", query_string=True)),
    path("", include("chat.urls")),
    re_path("", redirect_unknown),
]
handler400 = "noom_project.error_views.bad_request"
handler500 = "noom_project.error_views.server_error"
