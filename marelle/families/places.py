"""An adult's place in a household: who gets one, who loses it. What it says is corrected as other facts are
(`families.facts`)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.families.models import AdultInvitation, Guardian, Guardianship, Household
from marelle.families.queries import addressees
from marelle.families.services import NewGuardian, refresh_search, refuse_used_addresses
from marelle.families.spelling import plain
from marelle.foundation import outbox
from marelle.foundation.audit import Actor, record
from marelle.foundation.sentences import list_words


class MustBeInformed(Exception):
    """Who has parental authority, or may have it as long as nobody said, gets what is said of the children: nobody
    turns that off."""


class LastAdult(Exception):
    """A household without an adult is nobody's."""


def must_be_informed(*, is_legal: bool | None, gets_mail: bool) -> None:
    """Raises MustBeInformed."""
    if is_legal is not False and not gets_mail:
        raise MustBeInformed


@transaction.atomic
def add_adult(
    *, household: Household, adult: NewGuardian | Guardian, link: str, is_legal: bool | None, by: Actor, at: datetime
) -> Guardianship:
    """Give an adult a place in the household: somebody new, or a Guardian known in another home, whose account then
    opens both. Said twice, it is the same place. They and the adults who were there are told by e-mail; an
    invitation is the agent's to send. Raises AddressInUse."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    places = list(household.guardianships.select_related("guardian"))
    if isinstance(adult, Guardian):
        there = next((place for place in places if place.guardian_id == adult.pk), None)
    else:
        wanted = plain(f"{adult.first_name} {adult.last_name}"), adult.email.lower()
        there = next((one for one in places if (plain(str(one.guardian)), one.guardian.email.lower()) == wanted), None)
    if there is not None:
        return there
    if isinstance(adult, NewGuardian):
        refuse_used_addresses([adult])
        adult = Guardian.objects.create(
            first_name=adult.first_name, last_name=adult.last_name, email=adult.email.lower(), phone=adult.phone
        )
    place = Guardianship.objects.create(
        household=household,
        guardian=adult,
        position=max((one.position for one in places), default=-1) + 1,
        link=link.strip(),
        is_legal=is_legal,
    )
    refresh_search(household)
    record(
        at=at,
        by=by,
        action="household.adult_added",
        subject=adult,
        household_id=household.pk,
        text=_("%(name)s est maintenant dans ce foyer.") % {"name": adult},
    )
    _tell("families/adult_added", household=household, adult=adult, at=at)
    return place


@transaction.atomic
def end_place(*, household: Household, guardian: Guardian, reason: str, by: Actor, at: datetime) -> None:
    """Take an adult out of the household: their account opens it no more. What they asked for and did there stays, and
    their other homes; an invitation to come back that waits is worth nothing. They and the adults who stay are told
    by e-mail; the reason stands in the home's history alone. Raises LastAdult, and
    Guardianship.DoesNotExist when they are not there (any more)."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    place = Guardianship.objects.get(household=household, guardian=guardian)
    if household.guardianships.count() == 1:
        raise LastAdult
    place.delete()
    if guardian.email:
        waiting = AdultInvitation.objects.filter(household=household, joined_at=None, cancelled_at=None)
        waiting.filter(email=guardian.email.lower()).update(cancelled_at=at)
    refresh_search(household)
    record(
        at=at,
        by=by,
        action="household.adult_left",
        subject=guardian,
        household_id=household.pk,
        text=_("%(name)s n’est plus dans ce foyer. Motif : %(reason)s") % {"name": guardian, "reason": reason},
    )
    _tell("families/adult_left", household=household, adult=guardian, at=at)


def _tell(kind: str, *, household: Household, adult: Guardian, at: datetime) -> None:
    """Write to this adult and to the others of the home. Only names are said: neither knows from it where the other
    lives or is written to, nor of another home."""
    others = [one for one in addressees(household) if one.pk != adult.pk]
    outbox.post_each(
        kind=kind,
        letters=[
            outbox.Letter(
                to_address=one.email,
                to_name=str(one),
                household_id=household.pk,
                context={
                    "first_name": one.first_name,
                    "name": str(adult),
                    "household": household.name,
                    "children": list_words(child.first_name for child in household.children.order_by("birth_date")),
                    "is_them": one.pk == adult.pk,
                    "has_account": one.user is not None and one.user.is_active,
                },
            )
            for one in ([adult, *others] if adult.email else others)
        ],
        at=at,
    )


def gets_words(place: Guardianship) -> str:
    """What a guardian gets in a household: "Informations, factures, rappels"."""
    found = [
        words
        for words, gets in (
            (_("informations"), place.gets_mail),
            (_("factures"), place.gets_invoices),
            (_("rappels"), place.gets_reminders),
        )
        if gets
    ]
    return ", ".join(found).capitalize() or _("Rien")
