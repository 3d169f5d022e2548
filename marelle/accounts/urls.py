from django.urls import path

from marelle.accounts.views import account, door

app_name = "accounts"
urlpatterns = [
    path("connexion/", door.door, name="door"),
    path("connexion/mot-de-passe/", door.password, name="password"),
    path("connexion/lien/", door.request_link, name="request_link"),
    path("connexion/lien-envoye/", door.link_sent, name="link_sent"),
    path("connexion/lien/<str:who>/<str:token>/", door.link, name="link"),
    path("connexion/choisir-mon-mot-de-passe/", door.choose_password, name="choose_password"),
    path("compte/preuve/", account.proof, name="proof"),
    path("deconnexion/", door.sign_out, name="sign_out"),
]
