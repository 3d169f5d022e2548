"""A family gives its documents, and reads where each stands."""

import io
import re
from datetime import date, timedelta
from pathlib import Path

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from marelle.documents.models import SupportingDocument
from marelle.foundation.files import pages
from marelle.foundation.files.judging import judge
from marelle.foundation.files.store import read
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import StoredFile
from marelle.requests.models import FamilyRequest, RequestKind
from marelle.rules.papers import DocumentState
from tests.documents.papers import asked, town_with_papers
from tests.foundation.hostile import HOSTILE, document, photograph
from tests.offer import AT, Family, agent, family
from tests.people import queries

pytestmark = [pytest.mark.django_db, pytest.mark.row("D3", "E6")]


@pytest.fixture(autouse=True)
def portal(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    from datetime import UTC, datetime

    settings.FILES_DIR = tmp_path / "files"
    settings.CLOCK = (AT, datetime.now(UTC))
    town_with_papers()
    return settings.FILES_DIR


def client_of(who: Family) -> Client:
    client = Client()
    client.force_login(who.user)
    return client


def photo(name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photograph(), content_type="image/jpeg")


def text(answer) -> str:  # type: ignore[no-untyped-def]
    return re.sub(r"\s+", " ", answer.text.replace("\u00a0", " ").replace("\u202f", " "))


def key(paper: str, who: str, year: str = "-") -> str:
    return f"{paper}.{who}.{year}.0"


def assurance(who: Family, child: int = 0) -> str:
    return key("assurance", f"c{who.children[child].pk}", "2026-2027")


def give(client: Client, *keys: str, **fields):  # type: ignore[no-untyped-def]
    return client.post("/documents/", {"item": list(keys), "send_key": "a", **fields})


@pytest.fixture
def benali() -> Family:
    who = family()
    asked(who)
    return who


def test_a_home_is_asked_for_what_its_services_require(benali: Family) -> None:
    page = text(client_of(benali).get("/documents/"))
    assert "3 documents" in page
    assert page.count("Assurance scolaire 2026-2027</strong>") == 2
    assert "Justificatif de domicile</strong>" in page and "Toute la famille · Cantine" in page
    assert "Il doit dater de <strong>moins de 3 mois</strong>" in page
    assert "Aucun document donné pour l’instant" in page


def test_a_home_without_any_service_is_asked_for_nothing() -> None:
    page = text(client_of(family()).get("/documents/"))
    assert "Rien n’est demandé pour l’instant" in page
    assert "Donner un autre document" in page


def test_a_photograph_is_received_and_waits(benali: Family) -> None:
    client = client_of(benali)
    answer = give(client, assurance(benali), **{f"f-{assurance(benali)}": photo("assurance inès.heic")})
    assert answer.url == "/documents/"
    page = text(client.get("/documents/"))
    assert "Bien reçu : Assurance scolaire 2026-2027 (Inès)." in page
    assert "2 documents" in page and "En vérification" in page
    given = SupportingDocument.objects.get()
    assert given.file is not None and given.file.name == "assurance inès.jpg"
    request = FamilyRequest.objects.get(kind=RequestKind.PAPER)
    assert [line.label for line in request.lines.all()] == ["Assurance scolaire"]
    seen = client.get(f"/documents/{given.pk}/")
    assert seen["Content-Type"] == "image/jpeg" and "no-store" in seen["Cache-Control"]
    with Image.open(io.BytesIO(seen.content)) as shown:
        assert shown.format == "JPEG"


def test_several_files_at_once_are_one_request_and_what_is_wrong_leaves_the_rest(benali: Family) -> None:
    client = client_of(benali)
    ines, tom, home = assurance(benali), assurance(benali, 1), key("domicile", "h")
    wrong = SimpleUploadedFile("lettre.docx", HOSTILE["lettre.docx"][0]())
    answer = give(
        client, ines, tom, home,
        **{f"f-{ines}": photo(), f"f-{tom}": wrong, f"f-{home}": photo(), f"d-{home}": "2026-10-20"},
    )  # fmt: skip
    page = text(answer)
    assert answer.status_code == 422
    assert "Bien reçus : Assurance scolaire 2026-2027 (Inès), Justificatif de domicile (toute la famille)." in page
    assert "Assurance scolaire 2026-2027, Tom : ce fichier n’est ni une photo ni un PDF." in page
    assert "« lettre.docx » n’est pas envoyé." in page
    assert FamilyRequest.objects.filter(kind=RequestKind.PAPER).count() == 1
    assert {given.paper for given in SupportingDocument.objects.all()} == {"assurance", "domicile"}
    assert SupportingDocument.objects.get(paper="domicile").issued_on == date(2026, 10, 20)


@pytest.mark.parametrize(
    ("dated", "said"),
    [
        ("", "indiquez la date écrite sur le document"),
        ("2026-07-10", "ce document est trop ancien"),
        ("2027-01-01", "cette date n’est pas encore passée"),
        ("31/12/26", "indiquez la date écrite sur le document"),
    ],
)
def test_a_date_that_does_not_do_is_told_and_kept(benali: Family, dated: str, said: str) -> None:
    home = key("domicile", "h")
    answer = give(client_of(benali), home, **{f"f-{home}": photo(), f"d-{home}": dated})
    assert answer.status_code == 422 and said in text(answer)
    assert f'value="{dated}"' in answer.text
    assert not SupportingDocument.objects.exists() and not StoredFile.objects.exists()


def test_a_paper_that_carries_its_end_asks_for_it(benali: Family) -> None:
    pai = key("pai", f"c{benali.children[1].pk}")
    client = client_of(benali)
    page = text(client.get(f"/documents/?donner={pai}"))
    assert "Projet d’accueil individualisé</strong>" in page and "Valable jusqu’au" in page
    assert "n’est plus valable" in text(give(client, pai, **{f"f-{pai}": photo(), f"u-{pai}": "2026-11-01"}))
    assert give(client, pai, **{f"f-{pai}": photo(), f"u-{pai}": "2027-06-30"}).status_code == 302
    assert SupportingDocument.objects.get().valid_until == date(2027, 6, 30)
    # Nothing of health in the queue's words.
    assert [line.label for line in FamilyRequest.objects.get(kind="paper").lines.all()] == ["Document de santé"]


def test_nothing_chosen_is_said(benali: Family) -> None:
    answer = give(client_of(benali), assurance(benali))
    assert answer.status_code == 422 and "Choisissez un fichier, ou prenez une photo." in text(answer)


def test_the_same_form_twice_keeps_one_and_another_file_two(benali: Family) -> None:
    client, content = client_of(benali), photograph()
    for _time in range(2):
        give(client, assurance(benali), **{f"f-{assurance(benali)}": SimpleUploadedFile("a.jpg", content)})
    assert SupportingDocument.objects.count() == 1
    give(client, assurance(benali), **{f"f-{assurance(benali)}": photo()})
    states = list(SupportingDocument.objects.order_by("handed_at", "state").values_list("state", flat=True))
    assert sorted(states) == [DocumentState.REPLACED, DocumentState.TO_REVIEW]
    request = FamilyRequest.objects.get(kind=RequestKind.PAPER)
    assert sorted(request.lines.values_list("state", flat=True)) == ["pending", "withdrawn"]


@pytest.mark.parametrize("wanted", ["assurance.c{other}.2026-2027.0", "assurance.c{mine}.2019-2020.0", "x.h.-.0",
                                    "domicile.h.2026-2027.0", "domicile.h.-.99", "a.b", "assurance.cé.2026-2027.0",
                                    "identite.g0.-.0"])  # fmt: skip
def test_what_is_not_its_own_to_give_is_not_found(benali: Family, wanted: str) -> None:
    other = family("Moreau", (("Léo", "CP"),))
    named = wanted.format(other=other.children[0].pk, mine=benali.children[0].pk)
    assert give(client_of(benali), named, **{f"f-{named}": photo()}).status_code == 404
    assert client_of(benali).get("/documents/", {"donner": named}).status_code == 200
    assert not SupportingDocument.objects.exists()


def test_a_document_is_taken_back_while_it_waits(benali: Family) -> None:
    client = client_of(benali)
    give(client, assurance(benali), **{f"f-{assurance(benali)}": photo()})
    given = SupportingDocument.objects.get()
    assert "Retirer « Assurance scolaire » ?" in text(client.get(f"/documents/{given.pk}/retirer/"))
    assert client.post(f"/documents/{given.pk}/retirer/").url == "/documents/"
    given.refresh_from_db()
    assert given.state == DocumentState.WITHDRAWN
    assert FamilyRequest.objects.get(kind=RequestKind.PAPER).state == "withdrawn"
    assert "3 documents" in text(client.get("/documents/"))
    assert "ne peut plus être retiré" in text(client.post(f"/documents/{given.pk}/retirer/", follow=True))


def test_only_the_home_and_its_agents_see_a_file(benali: Family) -> None:
    other, malika = family("Moreau", (("Léo", "CP"),)), agent()
    client = client_of(benali)
    pai = key("pai", f"c{benali.children[1].pk}")
    give(client, assurance(benali), **{f"f-{assurance(benali)}": photo()})
    give(client, pai, **{f"f-{pai}": photo(), f"u-{pai}": "2027-06-30"})
    insurance, plan = (SupportingDocument.objects.get(paper=slug) for slug in ("assurance", "pai"))
    desk = Client()
    desk.force_login(malika)
    assert desk.get(f"/documents/{insurance.pk}/").status_code == 200
    assert desk.get(f"/documents/{plan.pk}/").status_code == 404
    malika.agent_role.reads_health = True
    malika.agent_role.save()
    assert desk.get(f"/documents/{plan.pk}/").status_code == 200
    assert client.get(f"/documents/{plan.pk}/").status_code == 200
    readings = [(reading.reader_label, reading.by_agent) for reading in plan.readings.order_by("id")]
    assert readings == [("Malika Roux", True), (str(benali.user), False)]
    assert not insurance.readings.exists()
    for one in (insurance, plan):
        assert client_of(other).get(f"/documents/{one.pk}/").status_code == 404
        assert client_of(other).post(f"/documents/{one.pk}/retirer/").status_code == 404
        assert Client().get(f"/documents/{one.pk}/").url.startswith("/connexion/")


def test_the_page_costs_the_same_for_one_child_and_for_eight() -> None:
    counts = []
    for number in (1, 8):
        who = family(f"Foyer{number}", tuple((f"Enfant{n}", "CE1") for n in range(number)))
        asked(who)
        client = client_of(who)
        for n in range(number):
            give(client, assurance(who, n), **{f"f-{assurance(who, n)}": photo()})
        client.get("/documents/")
        counts.append(queries(lambda client=client: client.get("/documents/")))  # type: ignore[misc]
    assert counts[0] == counts[1] and counts[0] <= 20


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence_and_leaves_nothing(benali: Family, portal: Path, name: str) -> None:
    make, _fault = HOSTILE[name]
    home = key("domicile", "h")
    answer = give(client_of(benali), home, **{f"f-{home}": SimpleUploadedFile(name, make()), f"d-{home}": "2026-10-20"})
    page = text(answer)
    assert answer.status_code == 422
    assert re.search(r"Justificatif de domicile, toute la famille : (ce fichier|ce PDF|cette image)", page)
    assert 'value="2026-10-20"' in page
    assert not SupportingDocument.objects.exists() and not StoredFile.objects.exists()
    assert [path for path in portal.rglob("*") if path.is_file()] == []
    assert not FamilyRequest.objects.filter(kind=RequestKind.PAPER).exists()


def test_a_pdf_is_kept_as_it_is(benali: Family) -> None:
    client, content = client_of(benali), document()
    give(client, assurance(benali), **{f"f-{assurance(benali)}": SimpleUploadedFile("a.pdf", content)})
    given = SupportingDocument.objects.get()
    seen = client.get(f"/documents/{given.pk}/?telecharger=1")
    assert seen.content == content and seen["Content-Disposition"].startswith("attachment")
    assert given.handed_at - AT < timedelta(minutes=1)


def test_a_refused_document_can_be_given_anew_though_nothing_asks_for_it(benali: Family) -> None:
    """An older one still holds, so that the paper is not among those to give."""
    client = client_of(benali)
    give(client, assurance(benali), **{f"f-{assurance(benali)}": photo()})
    SupportingDocument.objects.update(state=DocumentState.REFUSED, reason="Illisible.")
    page = client.get("/documents/").text
    assert "Donner à nouveau" in page and f"donner={assurance(benali)}" in page
    assert assurance(benali) in client.get(f"/documents/?donner={assurance(benali)}").text


def placed(name: str) -> SimpleUploadedFile:
    """A telephone's picture, which says where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = "12 rue du Marche"
    exif.get_ifd(0x8825)[1] = "N"
    return SimpleUploadedFile(name, photograph(exif=exif.tobytes()), content_type="image/jpeg")


def test_several_pictures_are_the_pages_of_one_document(benali: Family) -> None:
    client, paper = client_of(benali), assurance(benali)
    pictures = [placed("recto.jpg"), SimpleUploadedFile("verso.heic", photograph("HEIF", size=(480, 640)))]
    assert give(client, paper, **{f"f-{paper}": pictures}).status_code == 302
    given = SupportingDocument.objects.get()
    assert given.file is not None and (given.file.kind, given.file.name) == ("pdf", "recto.pdf")
    content = read(given.file)
    assert b"rue du Marche" not in content and b"Exif" not in content
    with pikepdf.open(io.BytesIO(content)) as pdf:
        sizes = [tuple(round(float(side)) for side in page.mediabox[2:]) for page in pdf.pages]
        assert sizes == [(842, 632), (632, 842)], "in the order in which they were chosen, upright"
        assert all(len(page.get_images()) == 1 for page in pdf.pages)
    assert judge(io.BytesIO(content)) == Judged(FileKind.PDF, content), "what is kept would be let in again"
    # The same pictures sent again with the same key are the same document.
    for one in pictures:
        one.seek(0)
    give(client, paper, **{f"f-{paper}": pictures})
    assert SupportingDocument.objects.count() == 1


@pytest.mark.parametrize(
    ("brought", "said"),
    [
        (
            lambda: [photo("recto.jpg"), SimpleUploadedFile("verso.jpg", photograph()[:900])],
            "Photo 2 (« verso.jpg ») : ce fichier est abîmé",
        ),
        (
            lambda: [photo(), SimpleUploadedFile("contrat.pdf", document())],
            "« contrat.pdf » est un PDF. Choisissez-le seul",
        ),
        (lambda: [photo(f"{n}.jpg") for n in range(13)], "12 photos au plus : vous en avez choisi 13"),
    ],
)
def test_one_picture_that_is_wrong_is_named_and_nothing_is_kept(benali: Family, brought, said: str) -> None:  # type: ignore[no-untyped-def]
    client, paper = client_of(benali), assurance(benali)
    answer = give(client, paper, **{f"f-{paper}": brought()})
    assert answer.status_code == 422 and said in text(answer)
    assert not StoredFile.objects.exists()


def test_pictures_too_heavy_together_are_refused(benali: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_BYTES", 10_000)
    client, paper = client_of(benali), assurance(benali)
    answer = give(client, paper, **{f"f-{paper}": [photo("a.jpg"), photo("b.jpg"), photo("c.jpg")]})
    assert answer.status_code == 422 and "ensemble. Le maximum est 10 Mo" in text(answer)
    assert not StoredFile.objects.exists()


def test_what_was_given_is_searched_and_sorted(benali: Family) -> None:
    client = client_of(benali)
    few = text(client.get("/documents/"))
    assert "Chercher un document" not in few
    for paper in (assurance(benali), assurance(benali, 1)):
        give(client, paper, **{f"f-{paper}": photo()})
    for n, name in enumerate(["identite", "certificat", "pai", "domicile"]):
        SupportingDocument.objects.create(
            paper=name, household=benali.household, state=DocumentState.ACCEPTED, handed_at=AT - timedelta(days=n + 1),
            valid_until=date(2027, 1, 31 - n), handed_by_label="Nadia Benali",
        )  # fmt: skip
    page = client.get("/documents/?q=assurance+ines")
    assert page.text.count('<th scope="row">') == 1 and 'value="assurance ines"' in page.text
    assert client.get("/documents/?q=&tri=zzz").text.count('<th scope="row">') == 6
    by_end = client.get("/documents/?tri=fin").text
    rows = re.findall(r'<th scope="row">([^<]+)<', by_end)
    assert rows[0] == "Justificatif de domicile" and rows[-1].startswith("Assurance scolaire")
    by_name = [name.lower() for name in re.findall(r'<th scope="row">([^<]+)<', client.get("/documents/?tri=nom").text)]
    assert by_name == sorted(by_name)
    nothing = text(client.get("/documents/?q=zzz"))
    assert "Aucun document ne correspond" in nothing and "Tout afficher" in nothing
