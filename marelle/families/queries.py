"""Reading families."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from marelle.accounts.models import User
from marelle.families.labels import InvitationState
from marelle.families.models import Child, Guardian, Guardianship, Household
from marelle.families.spelling import plain
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
        | Q(subject_type=User._meta.label_lower, subject_id__in=[str(user) for user in users])
    )


def known_child(*, first_name: str, last_name: str, birth_date: date, ine: str = "") -> Child | None:
    """The child who is already here under this national identifier or, failing that, these names and birth date."""
    if ine and (child := Child.objects.filter(ine=ine).first()):
        return child
    namesakes = Child.objects.filter(birth_date=birth_date).order_by("id")
    wanted = plain(f"{first_name} {last_name}")
    return next((child for child in namesakes if plain(str(child)) == wanted and not (ine and child.ine)), None)


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
    homes = household.residences.order_by("id").values_list("child_id", "child__first_name")
    return {int(kid.key): kid for kid in kids([(str(child), name) for child, name in homes])}
