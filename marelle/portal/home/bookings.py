"""What is to do about days: choices not sent, places held for an answer, days that nobody has reserved yet."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.models import Period
from marelle.bookings.models import LIVE_BOOKINGS, BasketLine, Booking, Enrolment
from marelle.bookings.queries.days import Days, basket_lines_among
from marelle.bookings.queries.openings import own_opening
from marelle.bookings.queries.waiting import offers_to
from marelle.foundation.sentences import day_words, list_words, midsentence
from marelle.portal.home.glance import Glance
from marelle.portal.home.todo import Todo
from marelle.portal.moments import near_moment_words, opening_words
from marelle.requests.models import Act
from marelle.rules.decisions import Allowed


def choices_to_send(glance: Glance) -> Iterable[Todo]:
    if unsent := basket_lines_among(glance.bookable, user=glance.user, household=glance.household):
        limit = _soonest(unsent, glance.days)
        yield Todo(
            title=ngettext("%(n)d changement n’est pas envoyé", "%(n)d changements ne sont pas envoyés", len(unsent))
            % {"n": len(unsent)},
            text=_("Premier délai : %(moment)s") % {"moment": near_moment_words(limit, at=glance.at, town=glance.town)}
            if limit
            else _("Rien n’est réservé tant que vous ne l’envoyez pas."),
            icon="send",
            url=reverse("portal:check"),
            action=_("Vérifier"),
            hidden=_(" et envoyer mes choix"),
            until=limit,
        )


def _soonest(lines: Sequence[BasketLine], days: Days) -> datetime | None:
    """The first limit of choices not sent, among the days that the page has read: what lies further closes later."""
    limits = []
    for line in lines:
        state = days.states.get((line.child_id, line.unit_id, line.date))
        if state is not None and state.was == line.was:
            verdict = state.may_add() if line.act == Act.BOOK else state.may_remove()
            if isinstance(verdict, Allowed) and verdict.until is not None:
                limits.append(verdict.until)
    return min(limits, default=None)


def places_to_answer(glance: Glance) -> Iterable[Todo]:
    """Places held until the family answers."""
    for booking in offers_to(glance.household):
        if booking.waits_until is None or booking.waits_until <= glance.at:
            continue
        yield Todo(
            title=_("Une place se libère %(day)s pour %(name)s")
            % {"day": day_words(booking.date), "name": booking.child.first_name},
            text=_("%(service)s. Répondez avant %(moment)s")
            % {
                "service": booking.unit.service.short_name,
                "moment": near_moment_words(booking.waits_until, at=glance.at, town=glance.town),
            },
            icon="list-ordered",
            accent=booking.unit.service.accent,
            url=reverse("portal:place", args=[booking.pk]),
            action=_("Répondre"),
            hidden=_(" pour la place %(day)s") % {"day": day_words(booking.date)},
            until=booking.waits_until,
        )


def days_to_reserve(glance: Glance) -> Iterable[Todo]:
    """Accepted, and no day asked yet: what remains to be done, once reservations are open."""
    bookable, at = glance.bookable, glance.at
    if not bookable:
        return
    begun = dict(
        Booking.objects.filter(enrolment__in=bookable, state__in=LIVE_BOOKINGS)
        .order_by()
        .values_list("enrolment_id")
        .annotate(Max("date"))
    )
    idle: dict[int, list[Enrolment]] = {}
    for enrolment in bookable:
        if enrolment.pk not in begun:
            idle.setdefault(enrolment.activity.service_id, []).append(enrolment)
    periods: dict[int, list[Period]] = {}
    for period in Period.objects.filter(
        service__in={e.activity.service_id for e in bookable}, archived_at=None, last_day__gte=glance.today
    ).order_by("first_day"):
        periods.setdefault(period.service_id, []).append(period)
    for service_id, mine in idle.items():
        service = mine[0].activity.service
        names = list_words(e.child.first_name for e in mine)
        coming = periods.get(service_id, [])
        opens_at = {period.pk: own_opening(period, mine[0].household.audiences) for period in coming}
        first = next(iter(opens_at.values()), None)
        if any(instant is None or instant <= at for instant in opens_at.values()):
            yield Todo(
                title=_("Il reste à réserver les jours : %(service)s") % {"service": midsentence(service.name)},
                text=_("Inscription acceptée pour %(names)s") % {"names": names},
                icon=service.icon,
                accent=service.accent,
                url=reverse("portal:planning", args=[service.slug]),
                action=_("Réserver"),
                hidden=_(" les jours : %(service)s") % {"service": midsentence(service.name)},
            )
        elif first is not None:
            opens = opening_words(first, at=at, town=glance.town)
            yield Todo(
                title=_("%(service)s : %(period)s") % {"service": service.short_name, "period": coming[0].name},
                text=_("Réservations ouvertes à partir du %(moment)s") % {"moment": opens},
                icon=service.icon,
                accent=service.accent,
                url=f"{reverse('portal:planning', args=[service.slug])}?periode={coming[0].slug}",
                action=_("Voir"),
                hidden=_(" l’ouverture : %(period)s") % {"period": coming[0].name},
            )
