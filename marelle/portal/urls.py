from django.urls import path

from marelle.portal.views import (
    checking,
    day,
    demarches,
    enrolment,
    family,
    help,
    home,
    places,
    planning,
    planning_place,
    request,
    week_template,
)

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("planning/", planning.plannings, name="plannings"),
    path("planning/verifier/", checking.check, name="check"),
    path("planning/envoyer/", checking.send, name="send"),
    path("planning/retirer/<int:line>/", checking.remove, name="remove_line"),
    path("planning/attendre/<int:line>/", checking.wait, name="wait_line"),
    path("planning/<slug:service>/", planning.planning, name="planning"),
    path("planning/<slug:service>/semaine-type/", week_template.week_template, name="week_template"),
    path("planning/<slug:service>/periode/", week_template.day_range, name="day_range"),
    path("planning/<slug:service>/lieu/", planning_place.planning_place, name="planning_place"),
    path("planning/<slug:service>/jour/<str:day>/", day.day, name="day"),
    path("demarches/", demarches.demarches, name="demarches"),
    path("demarches/inscription/", enrolment.enrol, name="enrol"),
    path("demandes/<str:number>/", request.detail, name="request"),
    path("demandes/<str:number>/retirer/", request.withdraw, name="withdraw"),
    path("demandes/<str:number>/agenda.ics", request.calendar, name="request_calendar"),
    path("places/<int:booking_id>/", places.place, name="place"),
    path("famille/", family.family, name="family"),
    path("famille/historique/", family.history, name="history"),
    path("aide/", help.help, name="help"),
    path("mentions-legales/", help.legal, name="legal"),
    path("donnees-personnelles/", help.privacy, name="privacy"),
    path("accessibilite/", help.accessibility, name="accessibility"),
]
