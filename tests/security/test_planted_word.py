"""A word about a child's health, written wherever somebody may write words: the database says it nowhere in clear, and
neither does an e-mail that should not."""

import io
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection

from marelle.accounts.models import User
from marelle.activities.queries import municipality, rules_of
from marelle.bookings.models import Absence, Booking, Enrolment, EnrolmentDraft
from marelle.bookings.services.absences import announce_absence
from marelle.bookings.services.completing import ask_more, complete
from marelle.bookings.services.drafts import keep_draft
from marelle.bookings.services.enrolments import Wish, ask_enrolments
from marelle.bookings.services.sending import send_basket
from marelle.documents.models import SupportingDocument
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from marelle.foundation.sealed import SealedField
from marelle.foundation.sealing import seal
from marelle.requests.asking import ask
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import Verdict, answer
from marelle.requests.thread import write
from marelle.requests.topics import find_topic
from tests import dossiers, guides, offer
from tests.foundation.test_sealing import NEW, OLD
from tests.offer import AT, Family, activity_for, agent, booked, cadours, choose, family, paris, refuse, school_year

pytestmark = pytest.mark.django_db

WORD = "drépanocytose"
#: E-mails that may quote the reason of a refusal: of days, and of enrolments.
QUOTES = {"bookings/request_answered", "bookings/enrolments_answered"}


def everything() -> Iterator[tuple[str, str]]:
    """What stands in every row of every table, as the engine gives it."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    if isinstance(value, bytes | memoryview | bytearray):
                        value = bytes(value).decode("utf-8", "replace")
                    yield table, str(value)


def telling() -> set[str]:
    """The tables where the word stands, or its spelling in JSON."""
    spelled = (WORD, WORD.encode("unicode_escape").decode(), WORD.replace("é", "\\u00e9"))
    return {table for table, value in everything() if any(one in value for one in spelled)}


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family()


def enrolment(who: Family, *, answers: dict[str, Any]) -> FamilyRequest:
    asked = ask_enrolments(
        town=municipality(),
        user=who.user,
        household=who.household,
        school_year=school_year(),
        wishes=[Wish(child=who.children[0], activity=activity_for(who.children[0]), answers=answers)],
        send_key=uuid.uuid4(),
        at=AT,
        message=f"Il a une {WORD}.",
        accepts=rules_of(municipality()).terms,
    )
    assert asked.request is not None, asked.unmet
    return asked.request


def test_the_word_stands_nowhere_in_clear(benali: Family, malika: User) -> None:
    AuditLine.objects.create(at=AT, action="test", text=WORD, actor_label="")
    assert telling() == {"foundation_auditline"}, "it is found where it stands in clear"
    dossiers.ready(benali, by=malika)
    request = enrolment(benali, answers={"note": f"une {WORD}"})
    ask_more(
        request_id=request.pk, line_ids=request.lines.values_list("id", flat=True), what=f"Le PAI : {WORD} ?",
        by=malika, at=AT,
    )  # fmt: skip
    complete(request_id=request.pk, reply=f"Oui, {WORD}.", by=benali.user, at=AT)
    refuse(request, f"Trop grave : {WORD}.", by=malika)
    keep_draft(
        user=benali.user, household=benali.household, school_year=school_year(),
        says={"message": WORD, "answers": {"1": {"note": WORD}}}, step="check", at=AT,
    )  # fmt: skip
    offer.enrolled(benali, by=malika)
    key = choose(benali, [date(2026, 12, 11)])
    sent = send_basket(
        town=municipality(), household=benali.household, user=benali.user, send_key=key, message=WORD, at=AT
    ).request
    assert sent is not None
    refuse(sent, WORD, by=malika)
    document = SupportingDocument.objects.first()
    assert document is not None
    document.reason = WORD
    document.save(update_fields=["reason"])

    found = Enrolment.objects.get(line__request=request)
    assert found.answers == {"note": f"une {WORD}"} and WORD in found.reply and WORD in found.reason
    draft = EnrolmentDraft.objects.get()
    assert draft.content["answers"] == {"1": {"note": WORD}}
    assert set(RequestLine.objects.filter(request=sent).values_list("reason", flat=True)) == {WORD}
    assert FamilyRequest.objects.get(pk=request.pk).message == f"Il a une {WORD}."
    assert telling() == {"foundation_auditline"}
    assert AuditLine.objects.filter(text__contains=WORD).count() == 1
    for mail in OutboxMail.objects.all():
        rendered = f"{compose(mail).subject} {compose(mail).body} {compose(mail).alternatives}"
        assert (WORD in rendered) <= (mail.kind in QUOTES), mail.kind


def test_why_a_child_is_absent_is_sealed(db: None) -> None:
    who = guides.alsh(at=paris(2026, 11, 2, 9))
    malika = agent(at=paris(2026, 11, 2, 9))
    monday = date(2026, 11, 16)
    booked(who, [monday], "restauration", by=malika, at=paris(2026, 11, 2, 9))
    place = Booking.objects.get()
    announce_absence(
        town=municipality(), user=who.user, household=who.household, keys=[(place.child_id, place.unit_id, monday)],
        cause="dispense", note=WORD, send_key=uuid.uuid4(), at=paris(2026, 11, 16, 8),
    )  # fmt: skip
    absence = Absence.objects.get()
    assert (absence.cause, absence.line.request.message) == ("dispense", WORD)
    assert telling() == set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT cause FROM bookings_absence")
        assert b"dispense" not in bytes(cursor.fetchone()[0])


@pytest.mark.row("D3")
def test_a_request_about_health_is_told_by_its_number_alone(benali: Family, malika: User) -> None:
    topic = find_topic(municipality(), "dispense-medicale")
    assert topic is not None
    request, line, _new = ask(
        household=benali.household, topic=topic, child=benali.children[0], answers=[], words=WORD,
        send_key=uuid.uuid4(), by=benali.user, at=AT, tz=municipality().tz,
    )  # fmt: skip
    write(request_id=request.pk, text=WORD, send_key=uuid.uuid4(), by=malika, at=AT, as_agent=True)
    answer(request_id=request.pk, verdicts={line.pk: Verdict(accept=False, reason=WORD)}, by=malika, at=AT)
    assert telling() == set()
    mails = list(OutboxMail.objects.filter(kind__startswith="requests/"))
    assert {mail.kind for mail in mails} == {"requests/sent", "requests/message", "requests/answered"}
    for mail in mails:
        rendered = f"{compose(mail).subject} {compose(mail).body} {compose(mail).alternatives}"
        assert request.number in rendered
        assert "édicale" not in rendered and WORD not in rendered, mail.kind
    assert "votre demande" in str(compose(mails[-1]).body)
    for said in AuditLine.objects.filter(action__startswith="request."):
        assert "edicale" not in f"{said.text} {said.facts}" and "édicale" not in said.text


def test_every_sealed_column_is_named_for_the_change_of_keys() -> None:
    sealed = {
        f"{model.__module__}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedField)
    }
    assert sealed and sealed <= set(settings.SEALED)


def test_the_keys_change_under_sealed_words(settings: Any, benali: Family, malika: User) -> None:
    before = settings.DATA_KEYS
    settings.DATA_KEYS = f"{OLD},{before}"
    request = offer.ask(benali)
    refuse(request, f"Trop grave : {WORD}.", by=malika)
    FamilyRequest.objects.filter(pk=request.pk).update(message=WORD)
    settings.DATA_KEYS = f"{NEW},{OLD},{before}"
    said = io.StringIO()
    call_command("keys", "rotate", stdout=said)
    assert "0 left" in said.getvalue() and "RequestLine.reason: 2 resealed" in said.getvalue()
    settings.DATA_KEYS = NEW
    request = FamilyRequest.objects.get(pk=request.pk)
    assert request.message == WORD
    assert {line.reason for line in request.lines.all()} == {f"Trop grave : {WORD}."}


def test_nothing_is_searched_in_what_is_sealed(benali: Family) -> None:
    request = offer.ask(benali)
    assert RequestLine.objects.filter(request=request, reason="").count() == 2
    for lookup in ({"reason": WORD}, {"reason__contains": WORD}):
        with pytest.raises(FieldError):
            RequestLine.objects.filter(**lookup).count()
    sealed = seal(WORD.encode(), bound_to="requests.RequestLine.reason")
    RequestLine.objects.filter(request=request).update(reason=sealed)
    assert {line.reason for line in request.lines.all()} == {WORD}


@pytest.mark.django_db(transaction=True)
def test_what_stood_in_clear_is_sealed_by_the_migration_and_back(benali: Family, malika: User) -> None:
    request = offer.ask(benali)
    refuse(request, WORD, by=malika)
    Enrolment.objects.update(answers={"note": WORD})
    call_command("migrate", "bookings", "0011", verbosity=0)
    call_command("migrate", "requests", "0007", verbosity=0)
    assert telling() == {"bookings_enrolment", "requests_requestline"}
    call_command("migrate", verbosity=0)
    assert telling() == set()
    assert {line.reason for line in request.lines.all()} == {WORD}
    assert {(one.reason, one.answers["note"]) for one in Enrolment.objects.all()} == {(WORD, WORD)}
