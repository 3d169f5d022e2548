from django.urls import path

from marelle.accounts.views import account, door

app_name = "accounts"
urlpatterns = [
    path("connexion/", door.door, name="door"),
    path("connexion/mot-de-passe/", door.password, name="password"),
    path("connexion/code/", door.code, name="code"),
    path("connexion/code/demander/", door.request_code, name="request_code"),
    path("connexion/adresse/", door.address, name="address"),
    path("connexion/adresse/<str:token>/", door.address_link, name="address_link"),
    path("connexion/lien/<str:who>/<str:token>/", door.link, name="link"),
    path("connexion/choisir-mon-mot-de-passe/", door.choose_password, name="choose_password"),
    path("compte/preuve/", account.proof, name="proof"),
    path("deconnexion/", door.sign_out, name="sign_out"),
]
