from django.urls import path, re_path

from marelle.foundation import views

app_name = "foundation"

urlpatterns = [
    path("icones-<slug:version>.svg", views.icons, name="icons"),
    re_path(r"^theme-(?P<colour>[0-9a-f]{6})-(?P<version>[0-9a-f]+)\.css$", views.theme, name="theme"),
]
