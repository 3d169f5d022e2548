"""Reading the basket."""

from django.db.models import QuerySet

from marelle.accounts.models import User
from marelle.bookings.models import BasketLine
from marelle.families.models import Household


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


def basket_count(*, user: User, household: Household) -> int:
    return lines_of(user=user, household=household).count()
