from django.urls import path

from marelle.attestations import views

app_name = "attestations"
urlpatterns = [
    path("verifier/", views.verify, name="verify_any"),
    path("verifier/<str:code>/", views.verify, name="verify"),
]
