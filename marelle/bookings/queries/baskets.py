"""Reading the basket."""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from marelle.accounts.models import User
from marelle.bookings.models import BasketLine
from marelle.families.models import Household
from marelle.foundation.models import AuditLine

#: The action of the audit line that tells of them.
GONE_BY = "basket.gone_by"
GONE_BY_SHOWN = timedelta(days=7)


def lines_of(*, user: User, household: Household) -> "QuerySet[BasketLine]":
    """The user's choices not sent yet, for the children who live there: who left takes nothing along."""
    return BasketLine.objects.filter(
        basket__user=user, basket__household=household, child__residences__household=household
    )


def basket_lines(*, user: User, household: Household) -> list[BasketLine]:
    """The user's choices not sent yet, by child (eldest first), service and day, with all that a page says of them."""
    return list(
        lines_of(user=user, household=household)
        .select_related(
            "basket",
            "child",
            "unit",
            "enrolment__child",
            "enrolment__activity__service",
            "enrolment__activity__site",
            "enrolment__group",
            "enrolment__school_year",
        )
        .order_by("child__birth_date", "child_id", "unit__service__position", "date", "unit__position", "id")
    )


def unsent_count(user: User) -> int:
    """The user's choices not sent yet, in all the households they are a guardian of."""
    return BasketLine.objects.filter(
        basket__user=user,
        basket__household__guardians__user=user,
        child__residences__household=F("basket__household"),
    ).count()


def days_gone_by(*, user: User, household: Household, at: datetime) -> list[str]:
    """What the portal took out of the user's basket lately, its day being past: one sentence for each time."""
    found = AuditLine.objects.filter(
        household_id=household.pk, action=GONE_BY, at__gt=at - GONE_BY_SHOWN, facts__user=user.pk
    )
    return list(found.order_by("-id").values_list("text", flat=True)[:3])


def basket_count(*, user: User, household: Household) -> int:
    return lines_of(user=user, household=household).count()
