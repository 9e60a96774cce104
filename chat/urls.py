"""URLs of the welcome page and of rooms."""

from django.urls import path

from chat import views

urlpatterns = [
    path("", views.home, name="home"),
    path("language/", views.language, name="set_language"),
    path("favicon.ico", views.favicon),
    path("rooms/<str:key>/", views.room, name="room"),
    path("rooms/<str:key>/qr.svg", views.qr_code, name="qr_code"),
    path("rooms/<str:key>/people.json", views.company),
    path("rooms/<str:key>", views.address),
]
