"""Two families that are the same become one: nothing is lost, nobody is in two places, nobody loses their account."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.db import models
from django.utils.module_loading import import_string

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from marelle.activities.queries import municipality, rules_of
from marelle.bookings.models import LIVE_BOOKINGS, Booking, Enrolment
from marelle.documents.models import SupportingDocument, TermsAcceptance
from marelle.documents.services import hand_in
from marelle.families.doubles import merging
from marelle.families.doubles.duplicates import Sign
from marelle.families.doubles.merging import CannotMerge, Merge, merge_households, pointers
from marelle.families.doubles.pairs import pairs, say_distinct
from marelle.families.models import (
    AuthorisedPerson,
    Child,
    EmergencyContact,
    FamilyQuotient,
    Guardian,
    Guardianship,
    HealthFile,
    Household,
    HouseholdMerge,
    PermissionAnswer,
    Residence,
)
from marelle.families.queries import history
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import AuditLine
from marelle.requests.corrections import pending_corrections
from marelle.requests.models import FamilyRequest, RequestLine
from tests.offer import AT, Family, agent, ask, booked, cadours, choose, enrolled, family
from tests.people import queries
from tests.security.world import moved, other_home

pytestmark = [pytest.mark.django_db, pytest.mark.row("S3")]

MONDAY, TUESDAY, THURSDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19)
LATER = AT + timedelta(hours=1)


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


def twin(of: Family, *, email: str = "") -> Family:
    """The same family registered once more: same children, another adult row without an account unless `email`."""
    who = family("Benali", [(child.first_name, child.level) for child in of.children], email=email or "")
    for mine, theirs in zip(who.children, of.children, strict=True):
        Child.objects.filter(pk=mine.pk).update(birth_date=theirs.birth_date)
    if not email:
        Guardian.objects.filter(pk=who.guardian.pk).update(user=None, email="")
    return who


def merge_of(kept: Family, gone: Family, *, adults: bool = True) -> Merge:
    return Merge(
        kept=kept.household,
        gone=gone.household,
        children={lost.pk: child.pk for lost, child in zip(gone.children, kept.children, strict=True)},
        guardians={gone.guardian.pk: kept.guardian.pk} if adults else {},
    )


def merged(kept: Family, gone: Family, malika: User, *, adults: bool = True, **chosen: Any) -> Household:
    return merge_households(
        merge=merge_of(kept, gone, adults=adults), chosen=chosen, by=malika.actor(as_agent=True), at=LATER
    )


def fill(who: Family, malika: User) -> None:
    """A row in every table that points at the household, the child or the adult."""
    household, child, guardian = who.household, who.children[0], who.guardian
    account = who.user
    enrolled(who, by=malika)
    booked(who, [MONDAY, TUESDAY])
    choose(who, [THURSDAY])
    paper = rules_of(municipality()).paper("assurance-scolaire")
    hand_in(
        household=household, paper=paper, judged=Judged(FileKind.PICTURE, b"\xff\xd8\xff"), name="a.jpg", child=child,
        school_year="2026-2027", by=account, at=AT,
    )  # fmt: skip
    TermsAcceptance.objects.create(household=household, terms="cgu", version="1", at=AT, by_label="x")
    moved(who)
    FamilyQuotient.objects.create(household=household, value=620, first_day=MONDAY, recorded_at=AT, recorded_by="x")
    contact = EmergencyContact.objects.create(household=household, name="Samira", link="x", phone="1", created_at=AT)
    contact.children.set(who.children)
    person = AuthorisedPerson.objects.create(
        household=household, name="Lucas", link="x", phone="1", created_at=AT, created_by="x"
    )
    person.children.set(who.children)
    PermissionAnswer.objects.create(
        household=household, child=child, permission="photo", school_year="2026-2027", allowed=True, answered_at=AT,
        answered_by="x",
    )  # fmt: skip
    HealthFile.objects.create(
        child=child, sealed=b"x", changed_at=AT, confirmed_at=AT, confirmed_by_label="x", school_year="2026-2027",
        valid_until=date(2027, 8, 31), confirmed_by_household=household.pk,
    )  # fmt: skip
    assert guardian.pk


def targets() -> list[type[models.Model]]:
    return [Household, Child, Guardian]


def test_every_table_where_two_rows_could_clash_is_settled_by_its_room() -> None:
    """A new table that points at a family moves by itself; one that allows a single row must say who settles it."""
    settled = set(merging.SETTLES)
    for path in django_settings.MERGERS:
        module = import_string(path).__module__
        settled |= set(import_string(f"{module}.SETTLES"))
    missing = set()
    for target in targets():
        for model, name in pointers(target):
            field = model._meta.get_field(name)
            if getattr(field, "unique", False):
                continue  # one to one: what was there stays
            unique = any(name in together for together in model._meta.unique_together)
            for constraint in model._meta.constraints:
                if isinstance(constraint, models.UniqueConstraint):
                    said = [*constraint.fields, *(e.name for e in _names(constraint))]
                    unique = unique or name in said
            if unique and model._meta.label not in settled and not model._meta.auto_created:
                missing.add(model._meta.label)
    assert missing == set(), "these tables need a merger (docs/algorithms/merging.md)"


def _names(constraint: models.UniqueConstraint) -> list[models.F]:
    found: list[models.F] = []
    for expression in constraint.expressions:
        flat = [expression, *getattr(expression, "get_source_expressions", list)()]
        found += [one for one in flat if isinstance(one, models.F)]
    return found


def test_no_table_that_names_a_household_by_number_is_forgotten() -> None:
    loose = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.Field)
        and not field.is_relation
        and field.name in ("household_id", "confirmed_by_household", "subject_id", "child_id", "guardian_id")
    }
    assert loose == {
        "foundation.AuditLine.household_id",  # never rewritten: HouseholdMerge
        "foundation.AuditLine.subject_id",
        "foundation.OutboxMail.household_id",
        "families.HealthFile.confirmed_by_household",
        "families.HealthReading.household_id",  # never rewritten: it says who read, then
        "requests.Correction.subject_id",
    }


def test_everything_of_both_is_in_one(malika: User) -> None:
    benali = family("Benali", [("Inès", "CE2"), ("Tom", "GS")])
    again = twin(benali, email="nadia2@famille.example")
    fill(benali, malika)
    fill(again, malika)
    gone, lost = again.household.pk, [child.pk for child in again.children]
    household = merged(benali, again, malika, adults=False)

    assert not Household.objects.filter(pk=gone).exists() and not Child.objects.filter(pk__in=lost).exists()
    for target, ids in ((Household, [gone]), (Child, lost)):
        for model, name in pointers(target):
            assert not model._base_manager.filter(**{f"{name}__in": ids}).exists(), model._meta.label
    assert [child.first_name for child in household.children.all()] == ["Inès", "Tom"]
    assert household.guardians.count() == 2 and User.objects.filter(guardian__households=household).count() == 2
    assert FamilyQuotient.objects.filter(household=household).count() == 2
    assert household.contacts.count() == 2 and household.authorised.count() == 2
    assert all(contact.children.count() == 2 for contact in household.contacts.all())
    assert HealthFile.objects.filter(child=benali.children[0]).count() == 1
    assert HealthFile.objects.get().confirmed_by_household == household.pk
    assert PermissionAnswer.objects.count() == 1
    states = SupportingDocument.objects.filter(household=household).values_list("state", flat=True)
    assert sorted(states) == ["replaced", "to_review"]
    assert TermsAcceptance.objects.filter(terms="cgu").count() == 1
    assert FamilyRequest.objects.exclude(household=household).count() == 0
    assert RequestLine.objects.filter(child__in=lost).count() == 0
    keys = set(pending_corrections(household))
    assert keys == {("household", household.pk, "address")}


def test_one_live_booking_a_day_and_its_place_given_back(malika: User) -> None:
    benali = family("Benali", [("Inès", "CE2")])
    again = twin(benali)
    for who in (benali, again):
        enrolled(who, by=malika)
    booked(benali, [MONDAY])
    booked(again, [MONDAY], by=malika)
    booked(again, [TUESDAY])
    taken = OpeningDay.objects.get(
        date=MONDAY, unit__service__slug="cantine", group=Booking.objects.first().group
    ).taken  # type: ignore[union-attr]
    household = merged(benali, again, malika)
    live = Booking.objects.filter(household=household, state__in=LIVE_BOOKINGS)
    assert {(b.date, b.state) for b in live} == {(MONDAY, "booked"), (TUESDAY, "pending")}, "the stronger one stays"
    day = OpeningDay.objects.get(date=MONDAY, unit__service__slug="cantine", group=live[0].group)
    assert day.taken == taken - 1
    assert Enrolment.objects.filter(state="accepted").count() == 1
    assert {b.enrolment_id for b in live} == set(
        Enrolment.objects.filter(state="accepted").values_list("pk", flat=True)
    )


def test_a_request_that_waits_for_a_lost_double_leaves_the_queue(malika: User) -> None:
    benali = family("Benali", [("Inès", "CE2")])
    again = twin(benali)
    enrolled(benali, by=malika)
    request = ask(again)
    merged(benali, again, malika)
    request.refresh_from_db()
    assert request.state == "withdrawn" and request.household == benali.household


def test_an_account_follows_its_adult_and_two_accounts_stay_two(malika: User) -> None:
    benali, again = family("Benali", [("Inès", "CE2")]), None
    again = twin(benali)
    user = benali.user
    household = merged(again, benali, malika)
    assert Guardian.objects.get(households=household).user == user
    assert Guardian.objects.get(households=household).email == benali.email

    other = twin(Family(household, Guardian.objects.get(households=household), user, list(household.children.all())),
                 email="nadia3@famille.example")  # fmt: skip
    both = Family(household, Guardian.objects.get(user=user), user, list(household.children.all()))
    with pytest.raises(CannotMerge, match="un compte dans chaque famille"):
        merged(both, other, malika)
    assert Household.objects.filter(pk=other.household.pk).exists(), "nothing is done"
    merged(both, other, malika, adults=False)
    assert Guardianship.objects.filter(household=household).count() == 2


def test_the_agent_chooses_the_facts_and_the_past_is_read_in_one_history(malika: User) -> None:
    benali = family("Benali", [("Inès", "CE2")])
    again = twin(benali)
    gone = again.household.pk
    lines = AuditLine.objects.filter(household_id=gone).count()
    household = merged(benali, again, malika, address="12 rue Neuve", name="Benali-Roux")
    assert (household.address, household.name) == ("12 rue Neuve", "Benali-Roux")
    assert "benali-roux" in household.search_text
    assert HouseholdMerge.objects.get().gone_id == gone
    told = list(history(household).values_list("action", "household_id"))
    assert ("household.merged", household.pk) in told and ("household.merged_away", gone) in told
    assert sum(home == gone for _action, home in told) == lines + 1, "nothing of the past is rewritten"


def test_a_family_that_is_in_stays_in_when_its_newer_double_is_kept(malika: User) -> None:
    new, old = family("Benali", [("Inès", "CE2")]), family("Benali", [("Léo", "CP")], email="paul@example.org")
    Household.objects.filter(pk=new.household.pk).update(awaits_since=AT)
    merge = Merge(kept=new.household, gone=old.household)
    household = merge_households(merge=merge, by=malika.actor(as_agent=True), at=LATER)
    household.refresh_from_db()
    assert household.pk == new.household.pk and household.awaits_since is None


def test_a_second_merging_keeps_both_pasts(malika: User) -> None:
    one = family("Benali", [("Inès", "CE2")])
    two, three = twin(one), twin(one)
    ids = [two.household.pk, three.household.pk]
    merged(two, three, malika)
    merged(one, Family(two.household, two.guardian, two.user, two.children), malika)
    assert set(HouseholdMerge.objects.values_list("gone_id", "kept")) == {(id, one.household.pk) for id in ids}


def test_who_is_not_of_the_family_is_not_merged(malika: User) -> None:
    benali, moreau = family(), family("Moreau", [("Léo", "CP")], first_name="Julien")
    for wrong in (
        {"children": {moreau.children[0].pk: 0}},
        {"children": {benali.children[0].pk: benali.children[1].pk}},
        {"guardians": {moreau.guardian.pk: moreau.guardian.pk}},
    ):
        with pytest.raises(CannotMerge):
            merge_households(
                merge=Merge(kept=benali.household, gone=moreau.household, **wrong),  # type: ignore[arg-type]
                by=malika.actor(as_agent=True),
                at=LATER,
            )
    with pytest.raises(CannotMerge):
        merge_households(
            merge=Merge(kept=benali.household, gone=benali.household), by=malika.actor(as_agent=True), at=LATER
        )
    assert Household.objects.count() == 2


# ── pairs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_families_that_look_alike_are_shown_two_by_two(malika: User) -> None:
    benali = family("Benali", [("Inès", "CE2")])
    again = twin(benali)
    family("Durand", [("Léo", "CP")], first_name="Paul")
    found = pairs(Household.objects.all())
    assert (found[0].first, found[0].second) == (benali.household, again.household)
    assert set(found[0].signs) == {Sign.CHILD, Sign.PHONE, Sign.ADULT}


def test_two_homes_of_a_child_are_no_pair_nor_what_an_agent_told_apart(malika: User) -> None:
    benali = family("Benali", [("Inès", "CE2")])
    other_home(benali)
    Guardian.objects.update(phone="06 00 00 00 01")
    assert pairs(Household.objects.all()) == []
    again = twin(benali)
    assert len(pairs(Household.objects.all())) == 2
    by = malika.actor(as_agent=True)
    assert say_distinct(one=again.household, other=benali.household, by=by, at=AT)
    assert not say_distinct(one=benali.household, other=again.household, by=by, at=AT)
    assert {frozenset((p.first, p.second)) for p in pairs(Household.objects.all())} == {
        frozenset(
            (
                again.household,
                Residence.objects.exclude(household__in=[benali.household, again.household]).get().household,
            )
        )
    }


def test_looking_for_pairs_costs_the_same_for_three_families_and_for_twelve(malika: User) -> None:
    family("Benali", [("Inès", "CE2")])
    before = queries(lambda: pairs(Household.objects.all()))
    for number in range(9):
        family(f"Famille{number}", [("Léa", "CP")], first_name=f"Zoé{number}")
    assert queries(lambda: pairs(Household.objects.all())) == before
