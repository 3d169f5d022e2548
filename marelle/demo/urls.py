from django.urls import path

from marelle.demo import views

app_name = "demo"
urlpatterns = [
    path("boite-aux-lettres/", views.mailbox, name="mailbox"),
    path("boite-aux-lettres/<int:mail_id>/", views.mail, name="mail"),
    path("boite-aux-lettres/<int:mail_id>/html/", views.mail_html, name="mail_html"),
]
