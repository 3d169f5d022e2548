"""An enrolment at the desk: what the town requires of it, what the family answered, asking for more."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import Activity
from marelle.activities.queries import municipality
from marelle.bookings.models import Enrolment
from marelle.bookings.services.enrolments import Wish, ask_enrolments
from marelle.documents.models import SupportingDocument
from marelle.families.services import declare_child
from marelle.foundation.models import OutboxMail
from tests import dossiers, guides, offer
from tests.offer import Family, ask
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db


@pytest.fixture
def malika() -> User:
    guides.load("tutos")
    return offer.agent("Malika Roux", email="malika@saint-aubin-du-port.example")


@pytest.fixture
def benali(malika: User) -> Family:
    who = guides.household("Benali", {"Inès": "CE2"}, school="ecole-du-port", email="nadia@famille.example")
    dossiers.ready(who, by=malika)
    return who


@pytest.fixture
def desk(settings: Settings, malika: User) -> Screen:
    return Screen(settings, malika)


def shown_lines(screen: Screen) -> dict[str, str]:
    return {"lues": screen.field("lues")}


@pytest.mark.row("E6")
def test_what_is_met_and_what_is_not_stands_beside_the_request(desk: Screen, benali: Family) -> None:
    request = ask(benali, "cantine")
    page = f"/agents/demandes/{request.number}/"
    seen = desk.go(page)
    assert "Inès, Cantine : pièces et conditions" in seen
    assert "fiche santé, dossier scolaire, Attestation d’assurance scolaire" in seen
    assert "Jours habituels lundi, mardi, jeudi et vendredi" in seen
    SupportingDocument.objects.filter(paper="assurance-scolaire").update(state="to_review")
    assert "Inès, Cantine : Attestation d’assurance scolaire Attend votre réponse." in desk.go(page)
    SupportingDocument.objects.filter(paper="assurance-scolaire").update(state="refused")
    assert "Inès, Cantine : Attestation d’assurance scolaire Refusé." in desk.go(page)


@pytest.mark.row("E6")
def test_asking_for_more_keeps_the_request_open_and_tells_the_family(desk: Screen, benali: Family) -> None:
    request = ask(benali, "cantine")
    page = f"/agents/demandes/{request.number}/"
    desk.go(page)
    lines = shown_lines(desk)
    seen = desk.post(page, lines | {"do": "demander", "complement": " "})
    assert desk.status == 422 and "Indiquez ce qui manque : la famille le lit." in seen
    seen = desk.post(page, lines | {"do": "demander", "complement": "Le jugement de garde."})
    assert "Complément demandé" in seen and "Le jugement de garde." in seen
    assert Enrolment.objects.get(line__request=request).state == "incomplete"
    assert OutboxMail.objects.filter(kind="bookings/enrolments_incomplete").count() == 1
    # It came to the counter: the agent answers without waiting for the family to say so.
    desk.post(page, lines | {"do": "accepter"})
    assert Enrolment.objects.get(line__request=request).state == "accepted"


@pytest.mark.row("E4")
def test_a_child_that_the_family_added_is_shown_with_who_is_alike(desk: Screen, benali: Family, malika: User) -> None:
    other = guides.household("Martin", {"Zoé": "PS"}, school="ecole-du-phare", email="m@famille.example")
    zoe = declare_child(
        household=benali.household, first_name="Zoe", last_name="Benali", birth_date=other.children[0].birth_date,
        by=benali.user, at=offer.AT,
    )  # fmt: skip
    dossiers.healthy(benali, children=[zoe])
    asked = ask_enrolments(
        town=municipality(), user=benali.user, household=benali.household, school_year=offer.school_year(),
        wishes=[
            Wish(
                child=zoe,
                activity=Activity.objects.select_related("service", "site").get(
                    service__slug="ecole", site__slug="ecole-du-port"
                ),
                answers={"level_": "PS", "starts_on_": "2026-11-16"},
            )
        ],
        send_key=uuid.uuid4(), at=offer.AT,
    )  # fmt: skip
    assert asked.request is not None, asked.unmet
    seen = desk.go(f"/agents/demandes/{asked.request.number}/")
    assert "Zoe Benali : enfant ajouté par la famille, à vérifier" in seen
    assert "Même date de naissance et prénom proche : Zoé Martin, École du Phare." in seen
    assert "Niveau PS" in seen


@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow_with_the_children(settings: Settings, malika: User, desk: Screen, count: int) -> None:
    names = {f"{'ABCDEFGH'[i]}nna": "CE2" for i in range(count)}
    who = guides.household("Grand", names, school="ecole-du-port", email="g@famille.example")
    dossiers.ready(who, by=malika)
    request = ask(who, "cantine")
    page = f"/agents/demandes/{request.number}/"
    desk.go(page)
    with CaptureQueriesContext(connection) as queries:
        desk.go(page)
    assert len(queries) == 25
