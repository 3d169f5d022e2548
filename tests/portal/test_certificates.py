"""Attestations issued at once: what they say, the file itself, and who checks it."""

import io
from datetime import date

import pikepdf
import pytest
from django.urls import reverse
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.attestations.models import Attestation
from marelle.attestations.services import NothingToAttest, attest_attendance, attest_enrolment
from marelle.foundation.files.store import read
from marelle.foundation.models import AuditLine
from tests.offer import AT, Family, absent, booked, cadours, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

PAGE = "/demarches/attestations/"
EARLIER = paris(2026, 10, 1)


@pytest.fixture
def benali(malika: User) -> Family:
    who = family()
    enrolled(who, by=malika, at=EARLIER)
    return who


def enrolment_of(who: Family) -> int:
    found = who.household.enrolments.filter(child=who.children[1]).first()
    assert found is not None
    return found.pk


def text_of(document: pikepdf.Pdf) -> str:
    """The words of the PDF, read as a screen reader does: through the map from glyphs to letters."""
    import re

    said = []
    for page in document.pages:
        maps: dict[str, dict[int, str]] = {}
        for name, font in page.resources.Font.items():
            table = {}
            source = font.ToUnicode.read_bytes().decode()
            for block in re.findall(r"beginbfchar(.*?)endbfchar", source, re.S):
                for code, letters in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
                    table[int(code, 16)] = bytes.fromhex(letters).decode("utf-16-be")
            for block in re.findall(r"beginbfrange(.*?)endbfrange", source, re.S):
                for low, high, letters in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
                    first = int(letters, 16)
                    for step in range(int(high, 16) - int(low, 16) + 1):
                        table[int(low, 16) + step] = chr(first + step)
            maps[name] = table
        known: dict[int, str] = {}
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) == "Tf":
                known = maps[str(operands[0])]
            pieces = [operands[0]] if str(operator) == "Tj" else operands[0] if str(operator) == "TJ" else []
            for piece in pieces:
                if isinstance(piece, pikepdf.String):
                    raw = bytes(piece)
                    said += [known.get(int.from_bytes(raw[i : i + 2], "big"), "") for i in range(0, len(raw), 2)]
    return "".join(said)


@pytest.mark.row("D3")
def test_the_file_can_be_read_aloud_and_says_what_it_must(benali: Family) -> None:
    issued = attest_enrolment(
        town=cadours(), household=benali.household, enrolment_id=enrolment_of(benali), by=benali.user, at=AT
    )
    document = pikepdf.open(io.BytesIO(read(issued.file)))
    assert bool(document.Root.MarkInfo.Marked)
    assert str(document.Root.Lang) == "fr"
    assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
    with document.open_metadata() as metadata:
        assert metadata["dc:title"] == "Attestation d’inscription"
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["pdfaid:part"] == "2"
    said = text_of(document).replace("\u00a0", " ").replace(" ", "")
    for words in ("Attestationd’inscription", "TomBenali", "Restaurationscolaire", "2026-2027", issued.code):
        assert words in said, words


def test_attendance_is_attested_only_where_days_are_reserved(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, "garderie", by=malika)
    enrolment, _, attendance = screen.go(PAGE).partition("Attestation de présence")
    assert "Inès, garderie, 2026-2027" in enrolment and "garderie" not in attendance
    assert "Inès, restauration scolaire, 2026-2027" in attendance


@pytest.mark.row("D3")
def test_the_family_gets_it_at_once_and_the_same_bytes_again(screen: Screen, benali: Family) -> None:
    seen = screen.go("/demarches/")
    assert "Attestation d’inscription Prête tout de suite, en PDF" in seen
    asked = {"kind": "enrolment", "inscription": str(enrolment_of(benali))}
    seen = screen.post(PAGE, asked)
    assert "Attestation prête" in seen
    issued = Attestation.objects.get()
    assert f"code {issued.code}" in seen
    url = reverse("portal:certificate", args=[issued.pk])
    first, again = screen.client.get(url), screen.client.get(url)
    assert first["Content-Type"] == "application/pdf"
    assert "attachment" in first["Content-Disposition"]
    assert first.content == again.content
    screen.post(PAGE, asked)
    assert Attestation.objects.count() == 1
    line = AuditLine.objects.get(action="attestation.issued")
    assert line.household_id == benali.household.pk and issued.code in line.text


def test_presence_counts_days_that_went_by_and_held(benali: Family, malika: User, screen: Screen) -> None:
    days = [date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 10), date(2026, 11, 12)]
    booked(benali, days, by=malika, at=EARLIER)
    absent(benali, days[1], at=paris(2026, 11, 3, 8))
    issued = attest_attendance(
        town=cadours(),
        household=benali.household,
        enrolment_id=enrolment_of(benali),
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        by=benali.user,
        at=AT,
    )
    assert issued.facts["rows"] == [["Repas", "2 jours"]]
    with pytest.raises(NothingToAttest):
        attest_attendance(
            town=cadours(),
            household=benali.household,
            enrolment_id=enrolment_of(benali),
            first=date(2026, 9, 1),
            last=date(2026, 9, 30),
            by=benali.user,
            at=AT,
        )
    asked = {"kind": "attendance", "inscription": str(enrolment_of(benali)), "du": "2026-09-01", "au": "2026-09-30"}
    seen = screen.post(PAGE, asked)
    assert screen.status == 422 and "il n’y a rien à attester" in seen
    assert 'value="2026-09-01"' in screen.markup
    screen.post(PAGE, asked | {"du": "hier"})
    assert screen.status == 422


def test_anybody_checks_it_and_reads_the_least(settings: Settings, benali: Family) -> None:
    issued = attest_enrolment(
        town=cadours(), household=benali.household, enrolment_id=enrolment_of(benali), by=benali.user, at=AT
    )
    stranger = Screen(settings, None)
    seen = stranger.go(f"/verifier/?code={issued.code.replace('-', ' ').lower()}")
    assert "Attestation authentique" in seen
    assert "délivrée le 10 novembre 2026" in seen and "T. B." in seen
    assert "Tom" not in seen and "Benali" not in seen
    assert "Attestation inconnue" in stranger.go("/verifier/AAAA-BBBB-CCCC/")
    assert stranger.status == 404


def test_another_home_gets_nothing_of_it(settings: Settings, benali: Family) -> None:
    issued = attest_enrolment(
        town=cadours(), household=benali.household, enrolment_id=enrolment_of(benali), by=benali.user, at=AT
    )
    other = Screen(settings, family("Moreau", [("Léo", "CP")]).user)
    other.go(reverse("portal:certificate", args=[issued.pk]))
    assert other.status == 404
    other.post(PAGE, {"kind": "enrolment", "inscription": str(enrolment_of(benali))})
    assert other.status == 404
