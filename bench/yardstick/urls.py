from django.urls import include, path

from bench.yardstick.page import page

urlpatterns = [path("yardstick/<int:household>/", page), path("", include("marelle.config.urls"))]
