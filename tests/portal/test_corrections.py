"""A family reads and corrects what the town knows of it; both values stand until an agent says."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.families.models import Guardian, Guardianship, Household
from marelle.families.services import record_quotient
from marelle.requests.corrections import Change, ask_corrections
from marelle.requests.models import FamilyRequest
from tests.offer import AT, Family, family
from tests.portal.visit import Screen
from tests.security.world import other_home

pytestmark = [pytest.mark.django_db, pytest.mark.row("B5")]

ADDRESS = {"address": "12 rue Neuve", "postcode": "31480", "city": "Cadours"}


def fill(screen: Screen, path: str, **fields: str) -> str:
    """Open the page, change these fields, send."""
    import html
    import re

    screen.go(path)
    there = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input[^>]*? name="(\w+)"(?:[^>]*? value="([^"]*)")?', screen.markup)
    }
    values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', screen.markup))
    there |= {name: html.unescape(value) for name, value in values.items()}
    there |= dict(re.findall(r'<select name="(\w+)".*?<option value="(\w+)"', screen.markup, re.S))
    return screen.post(path, there | fields)


def test_an_address_is_changed_and_both_values_are_read_until_accepted(
    screen: Screen, benali: Family, malika: User
) -> None:
    seen = fill(screen, "/famille/adresse/", **ADDRESS)
    request = FamilyRequest.objects.get()
    assert screen.place == "/famille/"
    assert f"Demande n° {request.number} envoyée" in seen
    assert "En attente de validation" in seen
    assert "Vous demandez 12 rue Neuve, 31480 Cadours" in seen
    assert "Actuellement 12 rue du Marché, 31480 Cadours" in seen
    assert "12 rue Neuve" in screen.go(f"/demandes/{request.number}/"), "the request says what it asks"
    from marelle.requests.corrections import answer_corrections
    from marelle.requests.services import Verdict

    line = request.lines.get()
    answer_corrections(request_id=request.pk, verdicts={line.pk: Verdict(accept=True)}, by=malika, at=AT)
    seen = screen.go("/famille/")
    assert "En attente" not in seen and "12 rue Neuve, 31480 Cadours" in seen


def test_a_change_that_waits_is_taken_back(screen: Screen, benali: Family) -> None:
    fill(screen, "/famille/adresse/", **ADDRESS)
    line = FamilyRequest.objects.get().lines.get()
    seen = screen.post(f"/famille/changements/{line.pk}/retirer/")
    assert "Ce changement est retiré" in seen and "En attente" not in seen
    seen = screen.post(f"/famille/changements/{line.pk}/retirer/")
    assert "il n’y a plus rien à retirer" in seen


def test_one_waits_for_the_new_name_but_not_for_the_phone(screen: Screen, benali: Family) -> None:
    seen = fill(screen, "/famille/moi/", phone="06 11 22 33 44", last_name="Benali-Roux")
    assert "06 11 22 33 44" in seen
    assert "Vous demandez Benali-Roux" in seen and "Actuellement Benali" in seen
    assert Guardian.objects.get(pk=benali.guardian.pk).phone == "06 11 22 33 44"


def test_what_is_typed_stays_typed_when_something_is_wrong(screen: Screen, benali: Family) -> None:
    seen = fill(screen, "/famille/adresse/", **ADDRESS | {"city": ""})
    assert screen.status == 422
    assert "Il y a un problème" in seen and "Indiquez la commune." in seen
    assert 'value="12 rue Neuve"' in screen.markup
    assert "Erreur :" in screen.markup.partition("</title>")[0].replace("\N{NO-BREAK SPACE}", " ")
    seen = fill(screen, "/famille/moi/", phone="06")
    assert "Indiquez un numéro de téléphone, par exemple 06 12 34 56 78." in seen
    assert not FamilyRequest.objects.exists()


def test_a_form_sent_twice_asks_once(screen: Screen, benali: Family) -> None:
    screen.go("/famille/adresse/")
    form = ADDRESS | {"send_key": screen.field("send_key"), "shown": screen.field("shown")}
    screen.post("/famille/adresse/", form)
    screen.post("/famille/adresse/", form)
    assert FamilyRequest.objects.count() == 1
    screen.post("/famille/adresse/", form | {"send_key": "x"})
    assert screen.status == 404


def test_what_was_not_touched_on_the_form_is_not_asked_back(screen: Screen, benali: Family) -> None:
    """An agent changed the last name after the form was shown: only the phone, typed over, is the family's word."""
    screen.go("/famille/moi/")
    shown, key = screen.field("shown"), screen.field("send_key")
    Guardian.objects.filter(pk=benali.guardian.pk).update(last_name="Moreau")
    form = {"first_name": "Nadia", "last_name": "Benali", "phone": "06 11 22 33 44", "shown": shown, "send_key": key}
    screen.post("/famille/moi/", form)
    assert [line.label for line in FamilyRequest.objects.get().lines.all()] == ["Téléphone de Nadia"]


def test_a_quotient_is_given_with_its_dates(screen: Screen, benali: Family, malika: User) -> None:
    assert "Pas encore connu" in screen.go("/famille/")
    seen = fill(screen, "/famille/quotient/", value="620", first_day="01 11 2026", last_day="31 01 2027")
    assert "Vous demandez 620 (CAF), du dimanche 1er novembre 2026 au dimanche 31 janvier 2027" in seen
    seen = fill(screen, "/famille/quotient/", value="620", first_day="01 11 2026", last_day="31 10 2026")
    assert "La fin vient après le début." in seen


def test_a_quotient_says_whether_it_still_holds(screen: Screen, benali: Family) -> None:
    from datetime import date, timedelta

    today = date(2026, 11, 10)
    for last, word in ((today, "Valable"), (today - timedelta(days=1), "À renouveler")):
        record_quotient(
            household=benali.household,
            value=480,
            source="caf",
            first_day=date(2026, 1, 1),
            last_day=last,
            by=benali.user.actor(),
            at=AT,
        )
        Household.objects.get().quotients.exclude(last_day=last).delete()
        seen = screen.go("/famille/")
        assert f"Quotient familial {word} 480" in seen


def test_the_name_of_a_child_is_corrected(screen: Screen, benali: Family, settings: Settings) -> None:
    ines = benali.children[0]
    seen = fill(screen, f"/famille/enfants/{ines.pk}/identite/", first_name="Inès-Marie")
    assert "Vous demandez Inès-Marie" in seen
    stranger = Screen(settings, family("Durand", (("Léo", "CP"),), first_name="Paul").user)
    stranger.go(f"/famille/enfants/{ines.pk}/identite/")
    assert stranger.status == 404
    line = FamilyRequest.objects.get().lines.get()
    stranger.post(f"/famille/changements/{line.pk}/retirer/")
    assert stranger.status == 404


def test_each_adult_chooses_their_own_mails(screen: Screen, benali: Family) -> None:
    assert "E-mails reçus Tous" in screen.go("/famille/")
    seen = screen.post("/famille/mes-e-mails/", {"wanted": ["reminders"]})
    assert "E-mails reçus Tous, sauf : actualités de la mairie" in seen
    assert Guardian.objects.get(pk=benali.guardian.pk).unwanted == ["news"]
    assert "Toujours envoyés : réponses à vos demandes" in screen.go("/famille/mes-e-mails/")


def test_the_other_adult_is_read_but_not_changed(screen: Screen, benali: Family) -> None:
    julien = Guardian.objects.create(first_name="Julien", last_name="Moreau", phone="06 00 00 00 02")
    Guardianship.objects.create(household=benali.household, guardian=julien, position=1, link="père", is_legal=True)
    seen = screen.go("/famille/")
    assert "Julien Moreau Père, autorité parentale" in seen and "06 00 00 00 02" in seen
    assert screen.markup.count('"/famille/moi/"') == 1


def test_neither_home_of_a_child_reads_anything_of_the_other(settings: Settings, benali: Family, malika: User) -> None:
    paul = other_home(benali)
    Household.objects.filter(pk=paul.household.pk).update(address="99 quai des Brumes", insurer="Mutuelle d’en face")
    Guardian.objects.filter(pk=paul.guardian.pk).update(phone="06 99 99 99 99")
    homes = {
        "benali": (benali, ["Paul", "Lopez", "Brumes", "en face", "06 99 99 99 99"]),
        "lopez": (paul, ["Nadia", "rue du Marché", "06 00 00 00 01"]),
    }
    requests = {
        name: ask_corrections(
            household=who.household,
            changes=[
                Change(subject=who.household, field="address", after=ADDRESS | {"address": f"Chez {name}"}),
                Change(subject=who.children[0], field="first_name", after=f"Zoé-{name}"),
            ],
            by=who.user,
            at=AT,
            send_key=uuid.uuid4(),
        )
        for name, (who, _words) in homes.items()
    }
    for name, (who, words) in homes.items():
        screen = Screen(settings, who.user)
        other = next(one for one in homes if one != name)
        theirs = requests[other]
        assert theirs is not None
        for path in (
            "/",
            "/famille/",
            "/famille/adresse/",
            "/famille/historique/",
            "/demarches/",
            "/famille/quotient/",
        ):
            seen = screen.go(path)
            assert screen.status == 200
            for word in [*words, f"Chez {other}", f"Zoé-{other}", theirs.number]:
                assert word not in seen, (name, path, word)
        screen.go(f"/demandes/{theirs.number}/")
        assert screen.status == 404


@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow_with_what_waits(settings: Settings, malika: User, count: int) -> None:
    who = family("Grand", [(f"{'ABCDEFGH'[i]}nna", "CE2") for i in range(count)])
    ask_corrections(
        household=who.household,
        changes=[Change(subject=child, field="last_name", after="Petit") for child in who.children],
        by=who.user,
        at=AT,
        send_key=uuid.uuid4(),
    )
    screen = Screen(settings, who.user)
    screen.go("/famille/")
    with CaptureQueriesContext(connection) as made:
        screen.go("/famille/")
    assert len(made) == 11, [query["sql"][:140] for query in made]


def test_strangers_to_the_portal_are_sent_to_the_door(settings: Settings, malika: User) -> None:
    for path in (
        "/famille/moi/",
        "/famille/adresse/",
        "/famille/assurance/",
        "/famille/quotient/",
        "/famille/mes-e-mails/",
    ):
        stranger = Screen(settings, None)
        stranger.go(path)
        assert stranger.place == "/connexion/"
        desk = Screen(settings, malika)
        desk.go(path)
        assert desk.status == 404


def test_the_proof_that_the_town_wants_goes_with_the_same_form(settings: Settings) -> None:
    from io import BytesIO

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    from marelle.documents.models import SupportingDocument
    from tests import guides

    guides.load("tutos")
    who = guides.household("Benali", {"Inès": "CE2"}, school="ecole-du-port", email="nadia@famille.example")
    screen = Screen(settings, who.user)
    path = "/famille/adresse/"
    seen = screen.go(path)
    assert "Justificatif de domicile" in seen and "moins de 3 mois" in seen
    seen = fill(screen, path, **ADDRESS)
    assert screen.status == 422 and "Joignez ce document : une photo suffit." in seen
    assert 'value="12 rue Neuve"' in screen.markup and not FamilyRequest.objects.exists()

    picture = BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "JPEG")
    import re

    key = re.search(r'name="f-([^"]+)"', screen.markup)
    assert key is not None
    form: dict[str, object] = ADDRESS | {"send_key": screen.field("send_key"), "shown": screen.field("shown")}
    form |= {
        f"d-{key[1]}": "2026-10-20",
        f"f-{key[1]}": SimpleUploadedFile("facture.jpg", picture.getvalue(), "image/jpeg"),
    }
    seen = screen.post(path, form)
    assert "En attente de validation" in seen
    assert SupportingDocument.objects.get().paper == "justificatif-domicile"
    assert "il attend d’être vérifié" in screen.go(path)
