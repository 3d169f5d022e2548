"""A send cut off after any of its statements leaves the whole request, or nothing of it."""

import uuid
from datetime import date

from tests import offer


def prepare() -> dict[str, object]:
    from marelle.bookings.models import Basket

    offer.cadours()
    who = offer.family()
    malika = offer.agent()
    offer.enrolled(who, by=malika)
    offer.booked(who, [date(2026, 11, 19)], by=malika)
    offer.choose(who, [date(2026, 11, 19)], wanted=False)
    offer.choose(who, [date(2026, 11, 16), date(2026, 11, 17)])
    basket = Basket.objects.get()
    return {"user": who.user.pk, "household": who.household.pk, "key": str(basket.send_key)}


def act(user: int, household: int, key: str) -> None:
    from marelle.accounts.models import User
    from marelle.activities.queries import municipality
    from marelle.bookings.services.sending import send_basket
    from marelle.families.models import Household

    send_basket(
        town=municipality(),
        user=User.objects.get(pk=user),
        household=Household.objects.get(pk=household),
        send_key=uuid.UUID(key),
        at=offer.AT,
    )


def look(user: int, household: int, key: str) -> dict[str, int]:
    from marelle.activities.models import OpeningDay
    from marelle.bookings.models import BasketLine, Booking
    from marelle.foundation.models import AuditLine, OutboxMail
    from marelle.requests.models import FamilyRequest, RequestLine

    return {
        "requests": FamilyRequest.objects.filter(send_key=key).count(),
        "lines": RequestLine.objects.filter(request__send_key=key).count(),
        "pending": Booking.objects.filter(state="pending").count(),
        "cancelling": Booking.objects.filter(state="cancelling").count(),
        "taken": sum(OpeningDay.objects.values_list("taken", flat=True)),
        "audit": AuditLine.objects.filter(action="request.sent").count(),
        "mails": OutboxMail.objects.filter(kind="bookings/request_sent").count(),
        "basket": BasketLine.objects.count(),
    }


NOTHING = {"requests": 0, "lines": 0, "pending": 0, "cancelling": 0, "taken": 2, "audit": 1, "mails": 1, "basket": 6}
WHOLE = {"requests": 1, "lines": 6, "pending": 4, "cancelling": 2, "taken": 6, "audit": 2, "mails": 2, "basket": 0}


def test_a_send_is_whole_or_nothing_wherever_it_is_cut(kills) -> None:  # type: ignore[no-untyped-def]
    aftermaths = kills(act, prepare=prepare, look=look)

    assert [aftermath.seen for aftermath in aftermaths if aftermath.killed] == [NOTHING] * (len(aftermaths) - 1)
    assert aftermaths[-1].seen == WHOLE
    assert len(aftermaths) > 15
