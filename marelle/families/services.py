"""What changes a family's record. The agents' pages, an import and the demo all come through here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Site
from marelle.families.labels import AUDIENCE_WORDS, TOPIC_WORDS, Topic
from marelle.families.models import Child, FamilyQuotient, Guardian, Guardianship, Household, Residence
from marelle.families.queries import known_child, who_has_address
from marelle.families.spelling import plain
from marelle.foundation import outbox
from marelle.foundation.audit import Actor, record
from marelle.foundation.models import OutboxMail
from marelle.rules.eligibility import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    street: str = ""
    postcode: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGuardian:
    """`is_legal`: whether they have parental authority, None as long as nobody said."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    is_legal: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChild:
    """`level` is one of the school's ("CE1"); `ine` the eleven signs of the national identifier, or nothing."""

    first_name: str
    last_name: str
    birth_date: date
    school: Site | None = None
    level: str = ""
    class_name: str = ""
    ine: str = ""


class AddressInUse(Exception):
    """An e-mail address opens one door: `holders` says, for each address refused, who has it."""

    def __init__(self, holders: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{address} is {name}'s" for address, name in holders.items()))
        self.holders = holders


class ChildAlreadyKnown(Exception):
    """A child is known once: give the Child itself to say that it has this home too."""

    def __init__(self, child: Child) -> None:
        super().__init__(f"{child} is already child {child.pk}")
        self.child = child


class NoAddress(Exception):
    """The guardian has no e-mail address to write to."""


class AlreadyInvited(Exception):
    """An invitation left since the page that asks for this one was shown: a double click, or a colleague."""


class AlreadyIn(Exception):
    """The guardian's account is open already: there is nothing to invite to."""


@transaction.atomic
def register_household(
    *,
    name: str,
    address: Address,
    guardians: Sequence[NewGuardian],
    children: Sequence[NewChild | Child],
    by: Actor,
    at: datetime,
    is_resident: bool = True,
    invite: bool = False,
    awaits: bool = False,
) -> Household:
    """Create a household with its adults, in order, and its children; a Child given as such has one more home now.
    `invite`: the adults who have an address are invited at once. `awaits`: the family came by itself and waits for an
    agent; whether its children are known already is the agent's to see (`families.doubles`), and is not said.

    Raises AddressInUse and ChildAlreadyKnown; nothing is written then. Registrations go one after the other: a form
    sent twice at the same instant finds its own family known.
    """
    list(Municipality.objects.select_for_update(no_key=True).values_list("id"))
    refuse_used_addresses(guardians)
    for child in children:
        if isinstance(child, NewChild) and not awaits:
            known = known_child(
                first_name=child.first_name, last_name=child.last_name, birth_date=child.birth_date, ine=child.ine
            )
            if known is not None:
                raise ChildAlreadyKnown(known)
    household = Household.objects.create(
        name=name,
        address=address.street,
        postcode=address.postcode,
        city=address.city,
        is_resident=is_resident,
        created_at=at,
        awaits_since=at if awaits else None,
    )
    for position, adult in enumerate(guardians):
        guardian = Guardian.objects.create(
            first_name=adult.first_name, last_name=adult.last_name, email=adult.email.lower(), phone=adult.phone
        )
        Guardianship.objects.create(household=household, guardian=guardian, position=position, is_legal=adult.is_legal)
    for child in children:
        made = child if isinstance(child, Child) else create(child, declared_at=at if awaits else None)
        Residence.objects.create(household=household, child=made)
    refresh_search(household)
    record(
        at=at,
        by=by,
        action="household.registered",
        subject=household,
        household_id=household.pk,
        text=(_("Famille %(name)s : espace demandé.") if awaits else _("Famille %(name)s enregistrée."))
        % {"name": household.name},
    )
    if invite:
        for guardian in household.guardians.exclude(email="").order_by("guardianships__position"):
            invite_guardian(guardian=guardian, by=by, at=at)
    return household


@transaction.atomic
def attach_child(*, household: Household, child: Child, by: Actor, at: datetime) -> bool:
    """Say that a child known in another household lives in this one too. Whether it did not yet."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    _residence, is_new = Residence.objects.get_or_create(household=household, child=child)
    if is_new:
        refresh_search(household)
        record(
            at=at,
            by=by,
            action="household.child_attached",
            subject=child,
            household_id=household.pk,
            text=_("%(child)s est maintenant dans ce foyer.") % {"child": child},
        )
    return is_new


@transaction.atomic
def set_audiences(*, household: Household, audiences: Collection[Audience], by: Actor, at: datetime) -> bool:
    """Say which early openings the household has a right to: living in the town, and the other priorities. Whether that
    changed anything."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    said = frozenset(audiences)
    if said == household.audiences:
        return False
    household.is_resident = Audience.RESIDENTS in said
    household.priorities = sorted(str(one) for one in said if one != Audience.RESIDENTS)
    household.save(update_fields=["is_resident", "priorities"])
    words = [str(AUDIENCE_WORDS[one]) for one in Audience if one in said]
    record(
        at=at,
        by=by,
        action="household.audiences",
        subject=household,
        household_id=household.pk,
        text=_("Priorités aux ouvertures : %(words)s.") % {"words": ", ".join(words) or _("aucune")},
        facts={"audiences": sorted(str(one) for one in said)},
    )
    return True


def record_quotient(
    *,
    household: Household,
    value: int,
    source: str,
    first_day: date,
    last_day: date | None,
    by: Actor,
    at: datetime,
) -> FamilyQuotient:
    """Write down a quotient, in the caller's transaction; those before it stay, for the days that were theirs. The
    audit line is that of whoever asked for it or wrote it: a quotient comes with a correction."""
    return FamilyQuotient.objects.create(
        household=household,
        value=value,
        source=source,
        first_day=first_day,
        last_day=last_day,
        recorded_at=at,
        recorded_by=by.label,
    )


@transaction.atomic
def set_unwanted(*, guardian: Guardian, unwanted: Collection[Topic], by: Actor, at: datetime) -> bool:
    """Say which of the e-mails that may be refused a guardian does not want. Whether that changed anything."""
    guardian = Guardian.objects.select_for_update(no_key=True).get(pk=guardian.pk)
    said = sorted(str(topic) for topic in unwanted)
    if said == guardian.unwanted:
        return False
    guardian.unwanted = said
    guardian.save(update_fields=["unwanted"])
    refused = ", ".join(str(TOPIC_WORDS[topic]) for topic in Topic if topic in unwanted)
    for household in guardian.households.all():
        record(
            at=at,
            by=by,
            action="guardian.mails",
            subject=guardian,
            household_id=household.pk,
            text=(
                _("E-mails que %(name)s ne souhaite pas : %(topics)s.") % {"name": guardian, "topics": refused}
                if refused
                else _("%(name)s souhaite tous les e-mails.") % {"name": guardian}
            ),
        )
    return True


def create(child: NewChild, *, declared_at: datetime | None = None) -> Child:
    return Child.objects.create(
        first_name=child.first_name,
        last_name=child.last_name,
        birth_date=child.birth_date,
        school=child.school,
        level=child.level,
        class_name=child.class_name,
        ine=child.ine,
        declared_at=declared_at,
    )


@transaction.atomic
def declare_child(
    *, household: Household, first_name: str, last_name: str, birth_date: date, by: User, at: datetime
) -> Child:
    """Add a child to the home of a guardian who says so: nobody has verified it yet (`Child.declared_at`). It never
    becomes a child that another home has: agents see who is alike. Said twice, it is the same child."""
    Household.objects.select_for_update(no_key=True).only("id").get(pk=household.pk)
    wanted = plain(f"{first_name} {last_name}")
    for known in household.children.filter(birth_date=birth_date):
        if plain(str(known)) == wanted:
            return known
    child = Child.objects.create(first_name=first_name, last_name=last_name, birth_date=birth_date, declared_at=at)
    Residence.objects.create(household=household, child=child)
    refresh_search(household)
    record(
        at=at,
        by=by.actor(),
        action="child.declared",
        subject=child,
        household_id=household.pk,
        text=_("Enfant ajouté par la famille : %(name)s. À vérifier par un agent.") % {"name": child},
    )
    return child


def refuse_used_addresses(guardians: Sequence[NewGuardian]) -> None:
    addresses = [guardian.email.lower() for guardian in guardians if guardian.email]
    holders = who_has_address(addresses)
    for guardian in guardians:
        address = guardian.email.lower()
        if addresses.count(address) > 1:
            holders.setdefault(address, f"{guardian.first_name} {guardian.last_name}")
    if holders:
        raise AddressInUse(holders)


def refresh_search(household: Household) -> None:
    """Write anew what a household is found by. Call it after any change of its names, adults or children."""
    words = [household.name]
    for guardian in household.guardians.all():
        words += [guardian.first_name, guardian.last_name, guardian.email]
    for child in household.children.all():
        words += [child.first_name, child.last_name]
    household.search_text = plain(" ".join(words))
    household.save(update_fields=["search_text"])


@transaction.atomic
def invite_guardian(*, guardian: Guardian, by: Actor, at: datetime, after: int | None = None) -> OutboxMail:
    """Send the guardian a link to choose their password; again, as often as one likes. Their user exists from now on.
    `after`: how many had left when it was asked; when more have left since, AlreadyInvited and nothing is sent.

    Someone who already comes in with this address, an agent for instance, gets this family besides, and an e-mail that
    says so. Raises NoAddress, AlreadyIn, and AddressInUse when the address opens another guardian's door.
    """
    guardian = Guardian.objects.select_for_update(of=("self",)).select_related("user").get(pk=guardian.pk)
    if not guardian.email:
        raise NoAddress
    user = guardian.user
    if user is None:
        user = User.objects.filter(email=guardian.email.lower()).first()
        if user is None:
            user = User.objects.create_user(email=guardian.email, name=str(guardian), is_active=False)
        elif holder := Guardian.objects.filter(user=user).first():
            raise AddressInUse({user.email: str(holder)})
        guardian.user = user
        guardian.save(update_fields=["user"])
    elif user.is_active or user.is_closed:
        raise AlreadyIn
    if after is not None and user.invitations > after:
        raise AlreadyInvited
    user.invited_at = at
    user.invitations += 1
    user.save(update_fields=["invited_at", "invitations"])
    households = list(guardian.households.all())
    for household in households:
        record(
            at=at,
            by=by,
            action="guardian.invited",
            subject=guardian,
            household_id=household.pk,
            text=(
                _("Invitation envoyée à %(name)s, %(email)s.")
                if user.invitations == 1
                else _("Invitation renvoyée à %(name)s, %(email)s.")
            )
            % {"name": guardian, "email": user.email},
            facts={"invitations": user.invitations},
        )
    return outbox.post(
        kind="families/invitation",
        to_address=user.email,
        to_name=str(guardian),
        household_id=households[0].pk if households else None,
        at=at,
        context={"guardian": guardian.pk},
    )
