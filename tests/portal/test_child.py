"""A child's page, as its home sees it."""

import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django import Settings

from marelle.accounts.permissions import PROVED
from marelle.families.circle.authorised import Said, authorise
from marelle.families.circle.contacts import save_contact
from marelle.families.health.content import HealthContent
from marelle.families.health.files import open_health, save_health
from marelle.families.models import AuthorisedPerson, Child, HealthFile, HealthReading, ReadingReason
from marelle.requests.corrections import answer_corrections
from marelle.requests.services import Verdict
from tests.offer import AT, Family, agent, cadours, enrolled, family, paris
from tests.people import queries
from tests.portal.visit import Screen
from tests.security.world import other_home

pytestmark = [pytest.mark.django_db, pytest.mark.row("E5")]

HEALTH = {
    "version": "0",
    "has_allergies": "yes",
    "allergies": "Arachide : gonflement",
    "has_plan": "yes",
    "plan": "Asthme sévère",
    "protocol": "Inhalateur bleu",
    "kit": "Infirmerie",
    "plan_until": "31/08/2027",
    "has_treatments": "no",
    "has_recommendations": "no",
    "doctor_name": "Dr Fabre",
    "doctor_phone": "02 00 00 00 05",
    "vaccination": "yes",
}


def prove(screen: Screen, *, ago: timedelta = timedelta()) -> None:
    """As if the password had been given, so long ago."""
    session = screen.client.session
    session[PROVED] = (datetime.now(UTC) - ago).timestamp()
    session.save()


@pytest.fixture
def who(settings: Settings, tmp_path) -> Family:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    cadours()
    return family()


@pytest.fixture
def screen(who: Family, settings: Settings) -> Screen:
    found = Screen(settings, who.user)
    prove(found)
    return found


def place(who: Family, tail: str = "", n: int = 0) -> str:
    return f"/famille/enfants/{who.children[n].pk}/{tail}"


def safe(who: Family, content: HealthContent | None = None, *, at: datetime = AT) -> None:
    """Every child of the home with a health file."""
    for child in who.children:
        save_health(
            child=child, household=who.household, content=content or HealthContent(allergies="Arachide"),
            has_plan=False, plan_until=None, version=0, by=who.user, at=at,
        )  # fmt: skip


# ── the health file


def test_the_password_is_asked_before_the_file_is_shown_or_written(who: Family, settings: Settings) -> None:
    safe(who)
    stranger = Screen(settings, who.user)
    for path in ("sante/", "sante/modifier/"):
        stranger.go(place(who, path))
        assert stranger.place == "/compte/preuve/"
    stranger.post(place(who, "sante/modifier/"), HEALTH)
    assert stranger.place == "/compte/preuve/"
    assert not HealthReading.objects.exists() and HealthFile.objects.first().version == 1  # type: ignore[union-attr]


def test_a_family_fills_in_reads_and_confirms(who: Family, screen: Screen) -> None:
    assert "À remplir" in screen.go(place(who))
    assert "Rien à signaler" in screen.go(place(who, "sante/"))
    assert screen.place == place(who, "sante/modifier/")
    seen = screen.post(place(who, "sante/modifier/"), HEALTH)
    # The next child's file follows.
    assert "Fiche santé à jour : Inès" in seen
    assert "Il reste la fiche santé à remplir ou à confirmer : Tom" in seen and screen.place == place(who, n=1)
    read = screen.go(place(who, "sante/"))
    for words in ("Arachide", "Asthme", "Inhalateur bleu", "Trousse : Infirmerie", "mardi 31 août 2027", "Dr Fabre"):
        assert words in read
    assert "no-store" in screen.client.get(place(who, "sante/"))["Cache-Control"]
    who_read = screen.go(place(who, "sante/lectures/"))
    assert "Consultation par la famille" in who_read and str(who.user) in who_read
    screen.at(paris(2027, 9, 10, 9))
    assert "À confirmer" in screen.go(place(who))
    assert "Rien n’a changé" in screen.go(place(who, "sante/"))
    screen.post(place(who, "sante/confirmer/"), {"version": "1"})
    assert "À jour" in screen.go(place(who))


def test_entries_are_kept_and_each_fault_is_said(who: Family, screen: Screen) -> None:
    seen = screen.post(
        place(who, "sante/modifier/"), HEALTH | {"allergies": "", "has_treatments": "", "plan_until": "demain"}
    )
    assert screen.status == 422
    for words in ("Dites à quoi votre enfant est allergique", "Traitements : choisissez une réponse", "La date doit"):
        assert words in seen
    assert "Inhalateur bleu" in screen.markup and not HealthFile.objects.exists()


def test_a_form_filled_in_slowly_is_not_lost(who: Family, screen: Screen) -> None:
    screen.go(place(who, "sante/modifier/"))
    token = screen.field("opened")
    prove(screen, ago=timedelta(minutes=40))
    screen.post(place(who, "sante/modifier/"), HEALTH | {"opened": "x"})
    assert screen.place == "/compte/preuve/"
    screen.post(place(who, "sante/modifier/"), HEALTH | {"opened": token})
    assert HealthFile.objects.count() == 1
    # What one child's form carries opens nothing of another child's.
    screen.post(place(who, "sante/modifier/", n=1), HEALTH | {"opened": token})
    assert HealthFile.objects.count() == 1


def test_two_homes_share_the_file_and_nothing_else(who: Family, screen: Screen, settings: Settings) -> None:
    elsewhere = other_home(who)
    other = Screen(settings, elsewhere.user)
    prove(other)
    screen.post(place(who, "sante/modifier/"), HEALTH)
    assert "Arachide" in other.go(place(who, "sante/"))
    assert other.post(place(who, "sante/modifier/"), HEALTH | {"allergies": "Œuf"}) and other.status == 409
    assert "modifiée entre-temps" in other.markup and "Œuf" in other.markup
    assert str(who.user) not in other.go(place(who, "sante/lectures/"))
    person = authorise(
        id=uuid.uuid4(), household=who.household, by=who.user, at=AT,
        said=Said(name="Karim Haddad", link="Voisin", phone="06 00 00 00 04", children=who.children),
    )  # fmt: skip
    contact = save_contact(
        id=uuid.uuid4(), household=who.household, children=who.children, name="Samira Benali", link="Grand-mère",
        phone="06 00 00 00 03", by=who.user, at=AT,
    )  # fmt: skip
    screen.post(place(who, "autorisations/"), dict.fromkeys(("hopital", "photo", "partir-seul", "sorties"), "no"))
    page = other.go(place(who))
    for secret in ("Nadia", "Karim", "Samira", who.email, "06 00 00 00 01"):
        assert secret not in other.markup
    assert page.count("À répondre") == 4
    for path in (f"/famille/personnes/{person.pk}/", f"/famille/personnes/{person.pk}/photo/"):
        other.go(path)
        assert other.status == 404
    other.go(f"/famille/contacts/{contact.pk}/")
    assert other.status == 404


def test_a_child_of_another_family_is_not_found(who: Family, screen: Screen) -> None:
    stranger = family("Moreau", [("Léo", "GS")], first_name="Julien")
    for tail in ("", "sante/", "sante/modifier/", "sante/lectures/", "autorisations/"):
        screen.go(place(stranger, tail))
        assert screen.status == 404
    open_health(child=who.children[0], reader=who.user, why=ReadingReason.OWN, at=AT)


def test_another_diet_waits_for_an_agent_and_can_be_taken_back(who: Family, screen: Screen) -> None:
    assert "Pas encore indiqué" in screen.go(place(who))
    screen.go(place(who, "repas/"))
    sent = {"diet": "sans-porc", "send_key": screen.field("send_key")}
    for _click in range(2):
        seen = screen.post(place(who, "repas/"), sent)
    assert "En attente de validation" in seen and "Sans porc" in seen
    assert Child.objects.get(pk=who.children[0].pk).diet == ""
    line = who.household.requests.get().lines.get()
    seen = screen.post(f"/famille/changements/{line.pk}/retirer/", {"enfant": str(who.children[0].pk)})
    assert screen.place == place(who), "back where the change was shown"
    assert "Ce changement est retiré" in seen and "En attente" not in seen
    screen.go(place(who, "repas/"))
    screen.post(place(who, "repas/"), sent | {"send_key": screen.field("send_key")})
    request = who.household.requests.latest("pk")
    lines = request.lines.values_list("pk", flat=True)
    verdicts = {line: Verdict(accept=True) for line in lines}
    answer_corrections(request_id=request.pk, verdicts=verdicts, by=agent(), at=AT)
    assert "En attente" not in screen.go(place(who)) and "Sans porc" in screen.go(place(who))
    assert screen.post(place(who, "repas/"), sent | {"diet": "autre"}) and screen.status == 422


# ── who fetches, whom to call, what is allowed


def picture() -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (80, 80), "teal").save(content, "PNG")
    return SimpleUploadedFile("karim.png", content.getvalue(), content_type="image/png")


PERSON = {"name": "Karim Haddad", "link": "voisin", "phone": "06 00 00 00 04", "when": "always"}


def test_somebody_is_allowed_to_fetch_with_a_photo_then_not_any_more_then_again(who: Family, screen: Screen) -> None:
    assert "Personne d’autre que les adultes du foyer" in screen.go(place(who))
    form = f"/famille/personnes/nouvelle/?enfant={who.children[0].pk}"
    screen.go(form)
    key = screen.field("key")
    sent = PERSON | {"key": key, "children": [child.pk for child in who.children], "enfant": who.children[0].pk}
    for _click in range(2):
        seen = screen.post(form, sent | {"photo": picture()})
    assert AuthorisedPerson.objects.count() == 1
    assert "Karim Haddad" in seen and "Pièce d’identité à montrer" in seen
    image = screen.client.get(f"/famille/personnes/{key}/photo/")
    assert image["Content-Type"] == "image/jpeg" and image["Cache-Control"] == "private, no-store"
    seen = screen.post(f"/famille/personnes/{key}/", {"do": "remove", "enfant": who.children[0].pk})
    assert "1 personne enlevée depuis peu" in seen
    screen.go(f"/famille/personnes/{key}/")
    assert screen.status == 404
    screen.post(f"/famille/personnes/{key}/", {"do": "restore", "enfant": who.children[0].pk})
    assert "enlevée depuis peu" not in screen.go(place(who))


def test_one_day_only_from_the_home_page(who: Family, screen: Screen) -> None:
    screen.go("/famille/personnes/nouvelle/?jour=2026-11-27")
    assert screen.markup.count('value="2026-11-27"') == 2 and re.search(r'value="some"[^>]*checked', screen.markup)
    sent = PERSON | {"when": "some", "first_day": "2026-11-27", "last_day": "2026-11-27"}
    seen = screen.post("/famille/personnes/nouvelle/", sent | {"children": [who.children[0].pk]})
    assert "Le vendredi 27 novembre seulement" in seen
    screen.at(paris(2026, 12, 1, 9))
    assert "C’est passé" in screen.go(place(who))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"phone": "allo"}, "par exemple 06 12 34 56 78"),
        ({"phone": ""}, "par exemple 06 12 34 56 78"),
        ({"name": ""}, "Indiquez le prénom et le nom"),
        ({"when": "some", "first_day": "2026-11-27", "last_day": "2026-11-20"}, "Le dernier jour vient après"),
        ({"when": "some", "first_day": "2026-11-02", "last_day": "2026-11-03"}, "Ce jour est passé"),
        ({"when": "some"}, "Indiquez le premier jour"),
        ({"children": ["99999"]}, "Cochez des enfants de votre foyer"),
        ({"photo": SimpleUploadedFile("x.png", b"<svg>")}, "ni une photo ni un PDF"),
    ],
)
def test_what_is_wrong_of_somebody_is_said(who: Family, screen: Screen, wrong, said) -> None:  # type: ignore[no-untyped-def]
    seen = screen.post("/famille/personnes/nouvelle/", PERSON | {"children": [who.children[0].pk]} | wrong)
    assert screen.status == 422 and said in seen
    assert not AuthorisedPerson.objects.exists()


def test_contacts_are_given_moved_and_removed(who: Family, screen: Screen) -> None:
    for name in ("Samira Benali", "Omar Benali"):
        screen.post(
            "/famille/contacts/nouveau/",
            {"name": name, "link": "famille", "phone": "06 00 00 00 03", "children": [who.children[0].pk]},
        )
    omar = who.household.contacts.get(name="Omar Benali")
    seen = screen.post(f"/famille/contacts/{omar.pk}/", {"do": "up", "enfant": who.children[0].pk})
    assert seen.index("Omar") < seen.index("Samira")
    seen = screen.post(f"/famille/contacts/{omar.pk}/", {"do": "remove", "enfant": who.children[0].pk})
    assert "n’est plus un contact d’urgence" in seen and who.household.contacts.count() == 1


def test_permissions_are_asked_again_each_school_year(who: Family, screen: Screen) -> None:
    answers = {"hopital": "yes", "photo": "no", "partir-seul": "no", "sorties": "yes"}
    seen = screen.post(place(who, "autorisations/"), answers)
    assert "Autorisations d’Inès enregistrées" in seen and "À répondre" not in seen
    assert "Rien n’a changé" in screen.post(place(who, "autorisations/"), answers)
    screen.at(paris(2027, 9, 10, 9))
    assert screen.go(place(who)).count("À répondre") == 4
    assert "l’année dernière" in screen.go(place(who, "autorisations/"))
    assert len(re.findall(r"checked", screen.markup)) == 4
    assert screen.post(place(who, "autorisations/"), {"hopital": "yes"}) and screen.status == 422


def test_as_many_queries_for_eight_children_as_for_one(who: Family, settings: Settings) -> None:
    many = family("Huit", [(f"Enfant{n}", "CE2") for n in range(8)], first_name="Huguette")
    one = family("Un", [("Seul", "CE2")], first_name="Ursule")
    malika = agent()
    counts = []
    for home in (one, many):
        enrolled(home, by=malika)
        safe(home)
        screen = Screen(settings, home.user)
        prove(screen)
        paths = [place(home, tail) for tail in ("", "sante/", "sante/lectures/", "autorisations/")]
        counts.append([queries(partial(screen.go, path)) for path in paths])
    assert counts[0] == counts[1]


def test_days_that_are_no_days_are_left_aside(who: Family, screen: Screen) -> None:
    screen.go("/famille/personnes/nouvelle/?jour=hier&enfant=x")
    assert screen.status == 200 and re.search(r'value="always"[^>]*checked', screen.markup)
