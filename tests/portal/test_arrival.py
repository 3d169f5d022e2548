"""A family that nobody knows: its space, its proof of address, an agent's answer."""

import re
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.documents.models import SupportingDocument
from marelle.families.models import Child, Household
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import FamilyRequest, RequestKind
from marelle.rules.papers import DocumentState
from tests import guides, offer
from tests.accounts.test_door import asked_code, digits_in, post_all
from tests.communication.news import publish
from tests.foundation.hostile import photograph
from tests.people import queries, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.row("E2")]

EMAIL, PASSWORD = "karim@famille.example", "un cheval mange des cerises"
FORM = {
    "children": "1",
    "first_name": "Karim",
    "last_name": "Haddad",
    "phone": "06 12 34 56 78",
    "street": "3 quai des Pêcheurs",
    "postcode": "77000",
    "city": "Saint-Aubin-du-Port",
    "c0-first_name": "Lina",
    "c0-last_name": "Haddad",
    "c0-birth_date": "2020-02-03",
    "c0-school": "ecole-du-port",
    "c0-level": "GS",
    "password": PASSWORD,
}


@pytest.fixture(autouse=True)
def _town(settings: Settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    settings.CLOCK = (offer.AT, datetime.now(UTC))
    guides.load("tutos")


@pytest.fixture
def malika() -> User:
    return offer.agent("Malika Roux", email="malika@saint-aubin-du-port.example")


def proved(mailoutbox, email: str = EMAIL) -> Client:  # type: ignore[no-untyped-def]
    client = Client()
    asked_code(client, email)
    answer = client.post("/connexion/code/", {"code": digits_in(post_all(mailoutbox)[-1])})
    assert answer["Location"] == "/nouveau-compte/"
    return client


def arrived(mailoutbox, **more: str) -> Client:  # type: ignore[no-untyped-def]
    client = proved(mailoutbox)
    assert client.post("/nouveau-compte/", FORM | more)["Location"] == "/mon-dossier/"
    return client


def proof(day: str = "2026-10-05", content: bytes = b"") -> dict[str, object]:
    return {
        "send_key": "00000000-0000-4000-8000-000000000001",
        "issued_on": day,
        "file": SimpleUploadedFile("facture.jpg", content or photograph(), "image/jpeg"),
    }


def test_an_unknown_address_makes_its_space_with_several_children(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    client = proved(mailoutbox)
    page = client.get("/nouveau-compte/").text
    assert EMAIL in page and "Ne créez pas un second compte" in page
    page = client.post("/nouveau-compte/", FORM | {"more": "1"}).text
    assert 'name="children" value="2"' in page and 'value="Lina"' in page and PASSWORD not in page
    assert "Erreur" not in page and not Household.objects.exists()
    both = FORM | {"children": "2", "c1-first_name": "Adam", "c1-last_name": "Haddad", "c1-birth_date": "2018-07-01"}
    assert client.post("/nouveau-compte/", both)["Location"] == "/mon-dossier/"
    household = Household.objects.get()
    assert household.awaits_since == AuditLine.objects.get(action="household.registered").at
    assert sorted(str(child) for child in household.children.all()) == ["Adam Haddad", "Lina Haddad"]
    lina = Child.objects.get(first_name="Lina")
    assert (lina.school.slug, lina.level, lina.birth_date) == ("ecole-du-port", "GS", date(2020, 2, 3))
    user = User.objects.get(email=EMAIL)
    assert user.is_active and user.guardian.phone == "06 12 34 56 78" and user.check_password(PASSWORD)


def test_the_link_of_the_e_mail_goes_there_too(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    asked_code(Client(), EMAIL)
    (mail,) = post_all(mailoutbox)
    assert "créer votre espace" in mail.body
    path = re.search(r"http://\S+?(/connexion/adresse/\S+)", str(mail.body))[1]
    client = Client()
    client.get(path)
    assert client.post("/connexion/adresse/")["Location"] == "/nouveau-compte/"
    assert client.get("/nouveau-compte/").status_code == 200


def test_nobody_makes_a_space_without_proving_an_address() -> None:
    assert Client().post("/nouveau-compte/", FORM)["Location"] == "/connexion/"
    assert not Household.objects.exists()


def test_what_is_missing_is_said_and_the_rest_is_kept(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    client = proved(mailoutbox)
    answer = client.post(
        "/nouveau-compte/",
        FORM | {"phone": "12", "c0-birth_date": "2031-01-01", "password": "court", "city": ""},
    )
    assert answer.status_code == 422 and "Erreur :" in re.sub(r"\s", " ", answer.text)
    for words in (
        "Indiquez un numéro de téléphone",
        "La date de naissance doit être dans le passé.",
        "Indiquez la commune.",
    ):
        assert words in answer.text
    assert 'value="Karim"' in answer.text and 'value="3 quai des Pêcheurs"' in answer.text
    assert not User.objects.exists()
    weak = client.post("/nouveau-compte/", FORM | {"password": "court"})
    assert weak.status_code == 422 and "12 caractères" in weak.text and not User.objects.exists()


def test_the_form_sent_twice_makes_one_family(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    first, second = proved(mailoutbox), proved(mailoutbox)
    assert first.post("/nouveau-compte/", FORM)["Location"] == "/mon-dossier/"
    assert second.post("/nouveau-compte/", FORM)["Location"] == "/connexion/"
    assert first.post("/nouveau-compte/", FORM)["Location"] == "/"
    assert Household.objects.count() == User.objects.count() == 1


def test_until_an_agent_accepts_every_page_leads_to_the_dossier(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    client = arrived(mailoutbox)
    paths = (
        "/",
        "/planning/",
        "/planning/cantine/",
        "/demarches/",
        "/demarches/inscription/",
        "/famille/",
        "/documents/",
    )
    for path in paths:
        assert client.get(path)["Location"] == "/mon-dossier/", path
        assert client.post(path).status_code in (302, 405), path
    page = client.get("/mon-dossier/").text
    assert "donnez-le ci-dessous." in page and "Justificatif de domicile" in page
    assert 'href="/planning/"' not in page
    assert client.get("/compte/").status_code == client.get("/aide/").status_code == 200
    # Not even what presses: which school its children go to is the family's own word.
    publish("Grève", by=offer.agent(), urgent=True, sites=["ecole-du-port"])
    assert "Grève" not in client.get("/compte/").text
    Household.objects.update(awaits_since=None)
    assert "Grève" in client.get("/compte/").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (proof("2026-08-01"), "trop ancien"),
        (proof("2026-12-01"), "pas encore passée"),
        (proof(content=b"MZ\x90 not a picture"), "ni une photo ni un PDF"),
        ({"issued_on": "2026-10-05"}, "Choisissez un fichier"),
        ({}, "Indiquez la date écrite"),
    ],
)
def test_a_proof_that_is_none_is_told(mailoutbox, given: dict[str, object], said: str) -> None:  # type: ignore[no-untyped-def]
    client = arrived(mailoutbox)
    answer = client.post("/mon-dossier/", given)
    assert answer.status_code == 422 and said in answer.text
    assert not FamilyRequest.objects.exists() and not SupportingDocument.objects.exists()


def test_the_proof_sends_the_dossier_once(mailoutbox, malika: User) -> None:  # type: ignore[no-untyped-def]
    client = arrived(mailoutbox)
    assert client.post("/mon-dossier/", proof())["Location"] == "/mon-dossier/"
    assert client.post("/mon-dossier/", proof())["Location"] == "/mon-dossier/"
    request = FamilyRequest.objects.get()
    assert request.kind == RequestKind.ACCOUNT
    document = SupportingDocument.objects.get()
    assert (document.line.request, document.issued_on) == (request, date(2026, 10, 5))
    page = client.get("/mon-dossier/").text
    assert request.number in page and "La mairie répond sous" in page
    assert client.get(f"/demandes/{request.number}/").status_code == 200
    assert OutboxMail.objects.filter(kind="requests/sent", to_address=EMAIL).count() == 1
    # And they may write under it.
    answer = client.post(f"/demandes/{request.number}/message/", {"send_key": "00000000-0000-4000-8000-000000000009"})
    assert "/mon-dossier/" not in answer.get("Location", "")


def queue_page(malika: User) -> tuple[Client, str]:
    desk = signed_in(malika)
    request = FamilyRequest.objects.latest("id")
    return desk, f"/agents/demandes/{request.number}/"


def answered(malika: User, do: str, **more: str) -> None:
    """As the desk's form sends it."""
    desk, path = queue_page(malika)
    line = FamilyRequest.objects.latest("id").lines.get()
    response = desk.post(path, {"lues": str(line.pk), "do": do, **more})
    assert response.status_code == 302, response.text


@pytest.mark.row("S1")
def test_an_agent_sees_the_family_its_proof_and_who_looks_like_it(mailoutbox, malika: User) -> None:  # type: ignore[no-untyped-def]
    twin = guides.household("Haddad", {"Lina": "GS"}, school="ecole-du-port", email="samia@famille.example")
    Child.objects.filter(households=twin.household).update(birth_date=date(2020, 2, 3))
    client = arrived(mailoutbox)
    client.post("/mon-dossier/", proof())
    desk, path = queue_page(malika)
    page = desk.get(path).text
    for words in ("Karim Haddad", EMAIL, "06 12 34 56 78", "3 quai des Pêcheurs", "Lina Haddad", "École du Port"):
        assert words in page, words
    assert "Peut-être une famille déjà connue" in page and "même enfant" in page
    assert f'href="/agents/familles/{twin.household.pk}/"' in page
    compare = f"/agents/familles/doublons/{twin.household.pk}/{Household.objects.latest('id').pk}/"
    assert f'href="{compare}"' in page and desk.get(compare).status_code == 200
    document = SupportingDocument.objects.get()
    assert f"/documents/fichier/{document.pk}/" in page or str(document.pk) in page
    assert "pas encore acceptée" in desk.get(f"/agents/familles/{Household.objects.latest('id').pk}/").text


@pytest.mark.row("S1")
def test_accepted_the_space_opens_and_the_family_is_told(mailoutbox, malika: User) -> None:  # type: ignore[no-untyped-def]
    client = arrived(mailoutbox)
    client.post("/mon-dossier/", proof())
    request = FamilyRequest.objects.get()
    answered(malika, "accepter")
    household = Household.objects.get()
    assert household.awaits_since is None
    assert SupportingDocument.objects.get().state == DocumentState.ACCEPTED
    assert client.get("/mon-dossier/")["Location"] == "/"
    assert client.get("/").status_code == 200
    mail = next(one for one in post_all(mailoutbox) if one.subject == "Votre espace est ouvert")
    assert "Acceptée" in mail.body and "Remplissez la fiche santé" in mail.body
    assert request.number in mail.body
    assert "espace est ouvert" in client.get("/famille/historique/").text


@pytest.mark.row("S1")
def test_refused_the_family_reads_why_and_gives_another_proof(mailoutbox, malika: User) -> None:  # type: ignore[no-untyped-def]
    client = arrived(mailoutbox)
    client.post("/mon-dossier/", proof())
    answered(malika, "refuser", motif="Le justificatif est illisible.")
    assert client.get("/")["Location"] == "/mon-dossier/"
    page = client.get("/mon-dossier/").text
    assert "Le justificatif est illisible." in page and "Envoyer mon dossier" in page
    again = proof() | {"send_key": "00000000-0000-4000-8000-000000000002"}
    assert client.post("/mon-dossier/", again)["Location"] == "/mon-dossier/"
    assert FamilyRequest.objects.count() == 2
    assert Household.objects.get().awaits_since is not None


def test_the_dossier_costs_the_same_for_one_child_and_for_eight(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    client = arrived(mailoutbox)
    one = queries(lambda: client.get("/mon-dossier/"))
    household = Household.objects.get()
    for n in range(7):
        child = Child.objects.create(first_name=f"Enfant{n}", last_name="Haddad", birth_date=date(2019, 1, 1 + n))
        household.children.add(child)
    assert queries(lambda: client.get("/mon-dossier/")) == one


def test_a_town_that_takes_no_new_account_says_whom_to_call(mailoutbox) -> None:  # type: ignore[no-untyped-def]
    guides.load("portes-de-meuse")
    client = Client()
    asked_code(client, EMAIL)
    (mail,) = post_all(mailoutbox)
    assert "cette adresse n’est pas connue" in mail.subject and "portesdemeuse.example" in mail.body
    assert client.get("/nouveau-compte/")["Location"] == "/connexion/"
