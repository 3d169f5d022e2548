from django.urls import path

from marelle.documents import views

app_name = "documents"
urlpatterns = [path("documents/<uuid:document_id>/", views.file, name="file")]
