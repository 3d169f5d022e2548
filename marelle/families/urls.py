from django.urls import path

from marelle.families import views

app_name = "families"
urlpatterns = [
    path("famille/foyer/", views.switch, name="switch"),
    path("famille/rejoindre/<str:token>/", views.join, name="join"),
]
