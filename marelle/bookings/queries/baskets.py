"""Reading the basket."""

from marelle.accounts.models import User
from marelle.bookings.models import BasketLine
from marelle.families.models import Household


def basket_lines(*, user: User, household: Household) -> list[BasketLine]:
    """The user's choices not sent yet, by child (eldest first), service and day, with all that a page says of them."""
    return list(
        BasketLine.objects.filter(basket__user=user, basket__household=household)
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
    return BasketLine.objects.filter(basket__user=user, basket__household=household).count()
