from django.urls import path

from marelle.accounts import views

app_name = "accounts"
urlpatterns = [
    path("connexion/", views.door, name="door"),
    path("connexion/mot-de-passe/", views.password, name="password"),
    path("connexion/lien/", views.request_link, name="request_link"),
    path("connexion/lien-envoye/", views.link_sent, name="link_sent"),
    path("connexion/lien/<str:who>/<str:token>/", views.link, name="link"),
    path("connexion/choisir-mon-mot-de-passe/", views.choose_password, name="choose_password"),
    path("deconnexion/", views.sign_out, name="sign_out"),
]
