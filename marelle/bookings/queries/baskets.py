"""Reading the basket."""

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from marelle.accounts.models import User
from marelle.bookings.models import BasketLine, Enrolment
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


def basket_lines_among(enrolments: Sequence[Enrolment], *, user: User, household: Household) -> list[BasketLine]:
    """The same choices for a page that has already read the household's live enrolments: each line gets its own from
    there. In the order of the enrolments, then by day. One query, and a few more only when a line's enrolment is not
    among them."""
    found = BasketLine.objects.filter(basket__user=user, basket__household=household)
    lines = list(found.order_by("date", "unit__position", "id"))
    known = {enrolment.pk: enrolment for enrolment in enrolments}
    for line in lines:
        if line.enrolment_id in known:
            line.enrolment = known[line.enrolment_id]
    prefetch_related_objects([line for line in lines if line.enrolment_id not in known], "enrolment__activity__service")
    ranks = {id: rank for rank, id in enumerate(known)}
    return sorted(lines, key=lambda line: ranks.get(line.enrolment_id, len(ranks)))


def basket_count(*, user: User, household: Household) -> int:
    return BasketLine.objects.filter(basket__user=user, basket__household=household).count()
