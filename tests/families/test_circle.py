"""Whom a home lets near its children: contacts, persons who fetch them, permissions; and who is forbidden."""

import io
import uuid
from datetime import date, timedelta
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from PIL import Image

from marelle.accounts.models import AgentRole
from marelle.activities.models import Site
from marelle.activities.queries import municipality, rules_of
from marelle.families.circle.authorised import (
    Said,
    authorise,
    change_person,
    check_identity,
    may_fetch,
    remove_person,
    restore_person,
    tick,
)
from marelle.families.circle.contacts import move_contact, remove_contact, save_contact
from marelle.families.circle.forbidden import forbid, lift, open_forbidden
from marelle.families.circle.permission_answers import answer_permissions, permissions_of
from marelle.families.models import (
    AuthorisedPerson,
    EmergencyContact,
    ForbiddenPerson,
    HealthReading,
    ReadingReason,
)
from marelle.families.queries import history
from marelle.foundation.files.judging import judge
from marelle.foundation.files.verdicts import Judged
from marelle.foundation.models import AuditLine, StoredFile
from tests.offer import AT, PARIS, Family, agent, cadours, family, school_year
from tests.security.world import agent_of, other_home

pytestmark = pytest.mark.django_db
TODAY = AT.astimezone(PARIS).date()


@pytest.fixture
def who(settings, tmp_path) -> Family:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    cadours()
    return family()


def contact(who: Family, name: str, *, key: uuid.UUID | None = None) -> EmergencyContact:
    return save_contact(
        household=who.household, children=who.children, name=name, link="Grand-mère", phone="06 00 00 00 03",
        id=key or uuid.uuid4(), by=who.user, at=AT,
    )  # fmt: skip


def said(who: Family, name: str = "Karim Haddad", **more) -> Said:  # type: ignore[no-untyped-def]
    return Said(name=name, link="Voisin", phone="06 00 00 00 04", children=who.children, **more)


def karim(who: Family, id: uuid.UUID | None = None, **more) -> AuthorisedPerson:  # type: ignore[no-untyped-def]
    return authorise(id=id or uuid.uuid4(), household=who.household, said=said(who, **more), by=who.user, at=AT)


def photo() -> Judged:
    content = io.BytesIO()
    Image.new("RGB", (60, 60), "teal").save(content, "PNG")
    content.seek(0)
    judged = judge(content)
    assert isinstance(judged, Judged)
    return judged


def order(who: Family) -> list[str]:
    return list(who.household.contacts.filter(children=who.children[0]).values_list("name", flat=True))


def test_contacts_are_called_in_the_order_that_the_home_gives(who: Family) -> None:
    first, _second, third = (contact(who, name) for name in ("Samira", "Lucie", "Omar"))
    assert move_contact(contact=third, child=who.children[0], up=True, by=who.user, at=AT)
    assert order(who) == ["Samira", "Omar", "Lucie"]
    assert not move_contact(contact=first, child=who.children[0], up=True, by=who.user, at=AT)
    remove_contact(contact=first, by=who.user, at=AT)
    assert order(who) == ["Omar", "Lucie"]


def test_the_same_click_twice_is_one_contact_and_one_person(who: Family) -> None:
    key = uuid.uuid4()
    assert contact(who, "Samira", key=key) == contact(who, "Samira", key=key)
    assert karim(who, key) == karim(who, key)
    assert AuditLine.objects.filter(action__in=["contact.saved", "authorised.added"]).count() == 2


def test_nobody_writes_in_another_home(who: Family) -> None:
    stranger, elsewhere = family("Moreau", [("Léo", "GS")], first_name="Julien"), other_home(who)
    person, samira = karim(who), contact(who, "Samira")
    for other in (stranger, elsewhere):
        by, child = other.user, who.children[0]
        acts = [
            partial(remove_person, person=person),
            partial(restore_person, person=person),
            partial(change_person, person=person, said=said(who, "Autre")),
            partial(authorise, id=uuid.uuid4(), household=who.household, said=said(who)),
            partial(authorise, id=person.pk, household=other.household, said=said(other)),
            partial(remove_contact, contact=samira),
            partial(move_contact, contact=samira, child=child, up=True),
            partial(check_identity, person=person),
        ]
        for act in acts:
            with pytest.raises(PermissionDenied):
                act(by=by, at=AT)
    with pytest.raises(PermissionDenied):
        authorise(id=uuid.uuid4(), household=stranger.household, said=said(who), by=stranger.user, at=AT)
    assert AuthorisedPerson.objects.get().name == "Karim Haddad"


def test_who_may_fetch_on_a_day(who: Family) -> None:
    karim(who, name="Samira")
    karim(who, name="Karim", first_day=date(2026, 11, 23), last_day=date(2026, 11, 27))
    gone = karim(who, name="Parti")
    remove_person(person=gone, by=who.user, at=AT)
    ids = [child.pk for child in who.children]

    def names(day: date) -> set[str]:
        return {person.name for person in may_fetch(ids, on=day)}

    assert names(date(2026, 11, 22)) == {"Samira"}
    assert names(date(2026, 11, 23)) == names(date(2026, 11, 27)) == {"Samira", "Karim"}
    restore_person(person=gone, by=who.user, at=AT)
    assert "Parti" in names(date(2026, 11, 22))


def test_another_name_is_another_person_to_check(who: Family) -> None:
    person, malika = karim(who), agent()
    far = agent_of(Site.objects.create(slug="loin", name="École du Loin", kind=Site.Kind.SCHOOL))
    with pytest.raises(PermissionDenied):
        check_identity(person=person, by=far, at=AT)
    assert check_identity(person=person, by=malika, at=AT)
    assert not check_identity(person=person, by=malika, at=AT)
    person.refresh_from_db()
    assert person.identity_checked_by == "Malika Roux"
    assert change_person(person=person, said=said(who), by=who.user, at=AT).identity_checked_at == AT
    assert change_person(person=person, said=said(who, "Karim Hadad"), by=who.user, at=AT).identity_checked_at is None


@pytest.mark.django_db(transaction=True)
def test_photos_go_with_whom_they_show(who: Family) -> None:
    person = karim(who, photo=photo())
    assert StoredFile.objects.count() == 1
    change_person(person=person, said=said(who, photo=photo()), by=who.user, at=AT)
    assert StoredFile.objects.count() == 1
    change_person(person=person, said=said(who), by=who.user, at=AT)
    assert StoredFile.objects.count() == 1
    remove_person(person=person, by=who.user, at=AT)
    assert tick(at=AT + timedelta(days=30)) == 0
    assert tick(at=AT + timedelta(days=32)) == 1
    assert not StoredFile.objects.exists() and not AuthorisedPerson.objects.exists()


def answered(who: Family, **answers: bool) -> int:
    return answer_permissions(
        child=who.children[0],
        household=who.household,
        answers=answers,
        names={slug: slug for slug in answers},
        school_year=school_year(),
        by=who.user,
        at=AT,
    )


def given(who: Family) -> dict[str, bool]:
    found = permissions_of(who.children, rules=rules_of(municipality()), school_year=school_year(), on=TODAY)[
        who.children[0].pk
    ]
    return {one.permission.slug: one.is_given for one in found}


def test_a_permission_of_two_homes_is_given_when_nobody_who_answered_says_no(who: Family) -> None:
    elsewhere = other_home(who)
    assert not any(given(who).values())
    assert answered(who, photo=True, hopital=True) == 2
    assert answered(who, photo=True) == 0
    assert given(who)["photo"]
    answered(elsewhere, photo=False)
    assert not given(who)["photo"] and given(who)["hopital"]
    answered(elsewhere, photo=True)
    assert given(who)["photo"]
    lines = AuditLine.objects.filter(action="permissions.answered")
    assert set(lines.values_list("household_id", flat=True)) == {who.household.pk, elsewhere.household.pk}


def test_a_child_too_young_is_not_asked_whether_it_leaves_alone(who: Family) -> None:
    asked = permissions_of(who.children, rules=rules_of(municipality()), school_year=school_year(), on=TODAY)
    ines, tom = ({one.permission.slug for one in asked[child.pk]} for child in who.children)
    assert ("partir-seul" in ines, "partir-seul" in tom) == (True, False)


def test_who_is_forbidden_is_sealed_and_read_by_few(who: Family) -> None:
    child, malika = who.children[0], agent()
    for stranger in (who.user, malika):
        with pytest.raises(PermissionDenied):
            forbid(id=uuid.uuid4(), child=child, name="Marc Zorn", note="Jugement", by=stranger, at=AT)
    AgentRole.objects.update(reads_health=True)
    key = uuid.uuid4()
    row = forbid(id=key, child=child, name="Marc Zorn", note="Jugement du 3 mai", by=malika, at=AT)
    assert forbid(id=key, child=child, name="Marc Zorn", note="Jugement du 3 mai", by=malika, at=AT) == row
    assert b"Zorn" not in bytes(ForbiddenPerson.objects.get().sealed)
    with pytest.raises(PermissionDenied):
        open_forbidden(child=child, reader=who.user, why=ReadingReason.DAY, at=AT)
    (found,) = open_forbidden(child=child, reader=malika, why=ReadingReason.DAY, at=AT)
    assert (found.name, found.note) == ("Marc Zorn", "Jugement du 3 mai") and "Zorn" not in repr(found)
    assert HealthReading.objects.get().what == "forbidden"
    assert not any("nterdi" in line.text for line in history(who.household))
    assert lift(row=row, by=malika, at=AT) and not lift(row=row, by=malika, at=AT)
    assert open_forbidden(child=child, reader=malika, why=ReadingReason.DAY, at=AT) == []
