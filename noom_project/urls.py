"""The addresses of Noom's pages."""

from django.contrib import admin
from django.urls import include, path, re_path

from chat.views import elsewhere
from noom_project.admin_lock import LoginForm

admin.site.login_form = LoginForm

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
    re_path("", elsewhere),
]
handler400 = "noom_project.pages.bad_request"
handler500 = "noom_project.pages.server_error"
