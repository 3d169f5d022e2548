"""Reading families."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Prefetch, Q, QuerySet

from marelle.accounts.models import User
from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import offer_of
from marelle.families.labels import InvitationState, Topic
from marelle.families.models import (
    Child,
    FamilyQuotient,
    Guardian,
    Guardianship,
    HealthFile,
    Household,
    HouseholdMerge,
    Residence,
)
from marelle.families.spelling import plain
from marelle.foundation.by_heart import by_heart
from marelle.foundation.components.kids import Kid, kids
from marelle.foundation.models import AuditLine


def matching(households: "QuerySet[Household]", words: str) -> "QuerySet[Household]":
    """The households that hold every one of these words: in their name, an adult's, a child's, or an e-mail address."""
    for word in plain(words).split()[:8]:
        households = households.filter(search_text__contains=word)
    return households


def with_people(households: "QuerySet[Household]") -> "QuerySet[Household]":
    """The same, ready to be shown with adults (in order), their users, children and schools: four queries in all."""
    return households.prefetch_related(
        Prefetch("guardianships", queryset=Guardianship.objects.select_related("guardian__user")),
        Prefetch("children", queryset=Child.objects.select_related("school")),
    )


def invitation_state(guardian: Guardian) -> InvitationState:
    """Where the guardian stands with their account; reads `guardian.user`."""
    user: User | None = guardian.user
    if user is not None and user.is_active:
        return InvitationState.ACTIVE
    if user is not None and user.is_closed:
        return InvitationState.CLOSED
    if user is not None and user.invitations:
        return InvitationState.INVITED
    return InvitationState.NOT_INVITED if guardian.email else InvitationState.NO_ADDRESS


def history(household: Household) -> "QuerySet[AuditLine]":
    """All that was done in this household, newest first: what names it, and what its adults did with their accounts."""
    users = Guardian.objects.filter(households=household, user__isnull=False).values_list("user_id", flat=True)
    return AuditLine.objects.filter(
        Q(household_id=household.pk)
        | Q(household_id__in=HouseholdMerge.objects.filter(kept=household).values("gone_id"))
        | Q(subject_type=User._meta.label_lower, subject_id__in=[str(user) for user in users])
    ).order_by("-at", "-id")


def known_child(*, first_name: str, last_name: str, birth_date: date, ine: str = "") -> Child | None:
    """The child who is already here under this national identifier or, failing that, these names and birth date; never
    one whom a family declared and nobody has verified yet."""
    if ine and (child := Child.objects.filter(ine=ine).first()):
        return child
    namesakes = Child.objects.filter(birth_date=birth_date, declared_at=None).order_by("id")
    wanted = plain(f"{first_name} {last_name}")
    return next((child for child in namesakes if plain(str(child)) == wanted and not (ine and child.ine)), None)


def alike(children: Iterable[Child]) -> dict[int, list[Child]]:
    """By child id, the children of other homes born the same day under a name that sounds alike: perhaps the same
    child, known twice. One query."""
    wanted = {child.pk: child for child in children}
    found: dict[int, list[Child]] = {}
    if not wanted:
        return found
    others = Child.objects.filter(birth_date__in={child.birth_date for child in wanted.values()}).select_related(
        "school"
    )
    for child in wanted.values():
        for other in others:
            if other.pk == child.pk or other.birth_date != child.birth_date:
                continue
            if plain(other.first_name)[:3] == plain(child.first_name)[:3]:
                found.setdefault(child.pk, []).append(other)
    return found


def who_has_address(addresses: Iterable[str]) -> dict[str, str]:
    """Of these addresses (small letters), those already in use, each with the name of who has it."""
    wanted = {address.lower() for address in addresses if address}
    condition = Q()
    for address in wanted:
        condition |= Q(email__iexact=address)
    if not wanted:
        return {}
    return {guardian.email.lower(): str(guardian) for guardian in Guardian.objects.filter(condition)}


def kids_of(household: Household) -> dict[int, Kid]:
    """The badges of the household's children by child id, in the order they came to it: a badge is kept for life."""
    homes = _homes(household.pk)
    return {int(kid.key): kid for kid in kids([(str(home.child_id), home.child.first_name) for home in homes])}


@by_heart
def _homes(household: int) -> "QuerySet[Residence]":
    residences = Residence.objects.filter(household=household).order_by("id")
    return residences.select_related("child").only("child", "child__first_name")


def quotient_on(household: Household, day: date) -> FamilyQuotient | None:
    """The household's quotient that holds on that day, else the last that began before it: whether it still holds is
    `holds_on`'s to say. One query."""
    begun = list(FamilyQuotient.objects.filter(household=household, first_day__lte=day).order_by("-first_day", "-id"))
    return next((one for one in begun if holds_on(one, day)), begun[0] if begun else None)


def holds_on(quotient: FamilyQuotient, day: date) -> bool:
    return quotient.first_day <= day and (quotient.last_day is None or day <= quotient.last_day)


#: How long before its first day a school year's health files may be confirmed, and are asked for.
RENEWAL = timedelta(days=183)


class HealthState(StrEnum):
    MISSING = "missing"
    OUTDATED = "outdated"
    UP_TO_DATE = "up_to_date"


@dataclass(frozen=True, slots=True)
class HealthStanding:
    """Where a child's health file stands, without opening it. An expired plan asks for its renewal; it does not make
    the file outdated."""

    state: HealthState
    has_plan: bool = False
    plan_until: date | None = None
    plan_expired: bool = False

    @property
    def is_up_to_date(self) -> bool:
        return self.state is HealthState.UP_TO_DATE


def confirmed_for(*, today: date) -> SchoolYear | None:
    """The school year that a health file confirmed today, or a permission given, counts for: the one in course, and the
    next one once its renewal has begun. None outside the years that the portal knows."""
    return (
        SchoolYear.objects.filter(archived_at=None, first_day__lte=today + RENEWAL, last_day__gte=today)
        .order_by("-first_day")
        .first()
    )


def year_of(town: Municipality, *, today: date) -> SchoolYear | None:
    """The school year in course, else the next one: the one that permissions are given for."""
    years = [year for year in offer_of(town).years.values() if year.archived_at is None and year.last_day >= today]
    return min(years, key=lambda year: year.first_day, default=None)


def asked_until(school_year: SchoolYear, *, today: date) -> date:
    """Until when a confirmation must count for something of this school year to be asked for today: its end, or only
    today as long as that year's files cannot be confirmed yet."""
    return school_year.last_day if today >= school_year.first_day - RENEWAL else today


def health_standing(
    children: Iterable[Child | int], school_year: SchoolYear, *, today: date
) -> dict[int, HealthStanding]:
    """By child id, where the health file of each of these children stands for asking something of this school year
    today: one query, nothing is opened."""
    ids = [child if isinstance(child, int) else child.pk for child in children]
    files = {
        file.child_id: file
        for file in HealthFile.objects.filter(child__in=ids).only("child", "valid_until", "has_plan", "plan_until")
    }
    needed = asked_until(school_year, today=today)
    found = {}
    for id in ids:
        file = files.get(id)
        if file is None:
            found[id] = HealthStanding(HealthState.MISSING)
            continue
        found[id] = HealthStanding(
            HealthState.UP_TO_DATE if file.valid_until >= needed else HealthState.OUTDATED,
            has_plan=file.has_plan,
            plan_until=file.plan_until,
            plan_expired=file.has_plan and file.plan_until is not None and file.plan_until < today,
        )
    return found


def addressees(household: Household, topic: Topic | None = None) -> list[Guardian]:
    """`addressees_of` one household."""
    return [link.guardian for link in addressees_of([household], topic).get(household.pk, ())]


def addressees_of(
    households: Collection[Household] | Collection[int], topic: Topic | None = None
) -> dict[int, list[Guardianship]]:
    """By household id, the adults to whom its e-mails go, in their order: those who have an address and get its mail,
    or all who have an address when none of these does; reminders likewise to those who get them. With a `topic`, those
    who refused it are left out. One query."""
    reached: dict[int, list[Guardianship]] = {}
    links = Guardianship.objects.filter(household__in=households).exclude(guardian__email="").select_related("guardian")
    for link in links.order_by("household_id", "position", "id"):
        reached.setdefault(link.household_id, []).append(link)
    return {household: chosen for household, there in reached.items() if (chosen := _wanting(there, topic))}


def _wanting(reached: list[Guardianship], topic: Topic | None) -> list[Guardianship]:
    found = [link for link in reached if link.gets_mail] or reached
    if topic is Topic.REMINDERS:
        found = [link for link in found if link.gets_reminders] or found
    return [link for link in found if topic is None or topic not in link.guardian.unwanted]
