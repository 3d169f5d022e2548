from django.urls import path

from marelle.office.views import (
    families,
    family_planning,
    imports,
    invitations,
    mails,
    openings,
    queue,
    today,
    waiting,
)

app_name = "office"
urlpatterns = [
    path("", today.today, name="home"),
    path("demandes/", queue.index, name="queue"),
    path("demandes/accepter/", queue.accept_several, name="accept_several"),
    path("demandes/raccourcis/", queue.keys, name="keys"),
    path("demandes/<str:number>/", queue.detail, name="request"),
    path("demandes/<str:number>/ouvrir/", queue.hold, name="hold"),
    path("attente/<slug:service>/<str:day>/", waiting.waiting, name="waiting"),
    path("familles/", families.index, name="families"),
    path("familles/nouvelle/", families.new, name="new_family"),
    path("familles/inviter/", invitations.index, name="invitations"),
    path("familles/inviter/<int:round_id>/", invitations.report, name="invitation_round"),
    path("familles/imports/", imports.index, name="imports"),
    path("familles/imports/<int:run_id>/", imports.detail, name="import"),
    path("familles/imports/<int:run_id>/colonnes/", imports.columns, name="import_columns"),
    path("familles/imports/<int:run_id>/garder/", imports.keep, name="import_keep"),
    path("familles/imports/<int:run_id>/decider/", imports.decide, name="import_decide"),
    path("familles/imports/<int:run_id>/refus.csv", imports.refusals, name="import_refusals"),
    path("familles/<int:household_id>/", families.detail, name="family"),
    path("familles/<int:household_id>/priorites/", families.audiences, name="audiences"),
    path("familles/<int:household_id>/planning/", family_planning.plannings, name="family_plannings"),
    path(
        "familles/<int:household_id>/planning/<slug:service>/",
        family_planning.planning,
        name="family_planning",
    ),
    path(
        "familles/<int:household_id>/planning/<slug:service>/enregistrer/",
        family_planning.record,
        name="record_for_family",
    ),
    path("familles/<int:household_id>/inviter/<int:guardian_id>/", families.invite, name="invite"),
    path("ouvertures/", openings.index, name="openings"),
    path("e-mails/", mails.index, name="mails"),
    path("e-mails/<uuid:mail_id>/", mails.decide, name="mail"),
]
