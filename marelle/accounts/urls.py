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
    path("connexion/deuxieme-etape/", door.second_step, name="second_step"),
    path("compte/", account.account, name="account"),
    path("compte/couleurs/", account.theme, name="theme"),
    path("compte/connexions/fermer/", account.close, name="close_sessions"),
    path("compte/mot-de-passe/", account.password, name="change_password"),
    path("compte/adresse/", account.new_address, name="new_address"),
    path("compte/adresse/code/", account.address_code, name="address_code"),
    path("compte/adresse/remettre/<str:token>/", account.undo_address, name="undo_address"),
    path("compte/deuxieme-etape/", account.second_factor, name="second_factor"),
    path("compte/deuxieme-etape/codes/", account.recovery_codes, name="recovery_codes"),
    path("compte/deuxieme-etape/retirer/", account.end_second_factor, name="end_second_factor"),
    path("compte/preuve/", account.proof, name="proof"),
    path("deconnexion/", door.sign_out, name="sign_out"),
]
