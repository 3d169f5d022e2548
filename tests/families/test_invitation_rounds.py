"""Invitations that leave together: to whom, when, once each, and what became of them."""

import uuid
from datetime import timedelta

import pytest

from marelle.accounts.services import activate
from marelle.activities.models import Site
from marelle.families.joining.invitations import (
    cancel_round,
    chosen,
    deliveries,
    pupilages,
    schedule_round,
    send_round,
    tick,
)
from marelle.families.models import Child, Guardian, InvitationRound, RoundState
from marelle.families.services import invite_guardian
from marelle.foundation.audit import Actor
from marelle.foundation.models import MailState, OutboxMail
from tests.people import AT, PASSWORD, family, school, town

pytestmark = [pytest.mark.django_db, pytest.mark.row("B1", "D1")]

MALIKA = Actor(id=None, label="Malika Roux", is_agent=True)
TOMORROW = AT + timedelta(days=1)


@pytest.fixture
def schools() -> tuple[Site, Site]:
    town()
    return school(), school("autre", "École Jean-Moulin")


def families(schools: tuple[Site, Site]) -> None:
    first, second = schools
    for name, site, class_name in (("Aubry", first, "CP A"), ("Bonnet", first, "CE1 B"), ("Cazals", second, "CP A")):
        home = family(name, email=f"{name.lower()}@famille.example", site=site)
        Child.objects.filter(households=home).update(class_name=class_name)
    family("Sans", email="", site=first)


def decided(**more: object) -> InvitationRound:
    facts: dict[str, object] = {
        "send_key": uuid.uuid4(),
        "schools": [],
        "classes": [],
        "due_at": AT,
        "by": MALIKA,
        "at": AT,
    } | more
    return schedule_round(**facts)  # type: ignore[arg-type]


def addresses() -> list[str]:
    return sorted(OutboxMail.objects.values_list("to_address", flat=True))


def test_a_round_goes_to_everybody_a_school_or_a_class(schools: tuple[Site, Site]) -> None:
    families(schools)
    first, second = schools
    ids = {guardian.last_name: guardian.pk for guardian in Guardian.objects.all()}
    among = pupilages()
    assert chosen(among, schools=[], classes=[]) == {ids["Aubry"], ids["Bonnet"], ids["Cazals"]}
    assert chosen(among, schools=[first.pk], classes=[]) == {ids["Aubry"], ids["Bonnet"]}
    assert chosen(among, schools=[second.pk], classes=[(first.pk, "CP A")]) == {ids["Aubry"], ids["Cazals"]}


def test_at_once_each_is_invited_once_whatever_is_repeated(schools: tuple[Site, Site]) -> None:
    families(schools)
    key = uuid.uuid4()
    for _twice in range(2):
        decided(send_key=key)
        tick(at=AT)
    assert addresses() == ["aubry@famille.example", "bonnet@famille.example", "cazals@famille.example"]
    assert InvitationRound.objects.get().state == RoundState.SENT


def test_scheduled_it_leaves_at_its_time_to_whoever_is_there_then(schools: tuple[Site, Site]) -> None:
    families(schools)
    round = decided(schools=[schools[0].pk], due_at=TOMORROW)
    assert tick(at=TOMORROW - timedelta(seconds=1)) == 0
    family("Delmas", email="delmas@famille.example", site=schools[0])
    invite_guardian(guardian=Guardian.objects.get(last_name="Aubry"), by=MALIKA, at=AT)
    assert tick(at=TOMORROW) == 2
    assert addresses() == ["aubry@famille.example", "bonnet@famille.example", "delmas@famille.example"]
    assert [str(one.guardian) for one in deliveries(round)] == ["Nadia Bonnet", "Nadia Delmas"]


def test_cancelled_it_never_leaves(schools: tuple[Site, Site]) -> None:
    families(schools)
    round = decided(due_at=TOMORROW)
    assert cancel_round(round=round, by=MALIKA, at=AT)
    assert not cancel_round(round=round, by=MALIKA, at=AT)
    assert tick(at=TOMORROW) == 0 and addresses() == []


def test_what_has_begun_is_not_cancelled(schools: tuple[Site, Site]) -> None:
    families(schools)
    round = decided()
    tick(at=AT)
    assert not cancel_round(round=round, by=MALIKA, at=AT)


def test_a_long_round_goes_on_where_it_stopped(schools: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marelle.families.joining.invitations.AT_ONCE", 2)
    families(schools)
    round = decided()
    assert send_round(round.pk, at=AT) == 2
    assert InvitationRound.objects.get().state == RoundState.SENDING
    assert tick(at=AT) == 1
    assert tick(at=AT) == 0
    assert len(addresses()) == 3


def test_the_report_says_sent_failed_and_who_came_in_and_the_others_are_invited_again(
    schools: tuple[Site, Site],
) -> None:
    families(schools)
    round = decided()
    tick(at=AT)
    OutboxMail.objects.update(state=MailState.SENT)
    OutboxMail.objects.filter(to_address="cazals@famille.example").update(state=MailState.FAILED, error="Boîte pleine")
    aubry = Guardian.objects.get(last_name="Aubry")
    assert aubry.user is not None
    activate(user=aubry.user, password=PASSWORD, at=AT)
    assert [(str(one.guardian), one.state, one.failed, one.active) for one in deliveries(round)] == [
        ("Nadia Aubry", MailState.SENT, False, True),
        ("Nadia Bonnet", MailState.SENT, False, False),
        ("Nadia Cazals", MailState.FAILED, True, False),
    ]
    again = decided(again_of=round)
    assert tick(at=TOMORROW) == 2
    assert [str(one.guardian) for one in deliveries(again)] == ["Nadia Bonnet", "Nadia Cazals"]
    assert tick(at=TOMORROW) == 0


@pytest.mark.race
def test_several_workers_send_each_invitation_once(transactional_db, race) -> None:  # type: ignore[no-untyped-def]
    town()
    schools = school(), school("autre", "École Jean-Moulin")
    families(schools)
    decided()
    outcomes = race(lambda _n: tick(at=AT), range(8), at_once=8)
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert sum(outcome.answer for outcome in outcomes) == 3
    assert addresses() == ["aubry@famille.example", "bonnet@famille.example", "cazals@famille.example"]
