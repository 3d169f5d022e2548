"""What a family can ask for on its Démarches page, and why what cannot be asked cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.models import Activity, BookingMode, Municipality, Period, Service, Site
from marelle.activities.queries import years_to_enrol
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.families.models import Household
from marelle.foundation.sentences import list_words, midsentence
from marelle.portal.children import HouseholdChild
from marelle.portal.moments import opening_words
from marelle.portal.without_days import without_days_words
from marelle.rules.lifecycles import EnrolmentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing to ask for. Without `url` it cannot be asked now, and `text` says why."""

    title: str
    text: str = ""
    url: str = ""
    icon: str = "chevron-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskGroup:
    slug: str
    title: str
    icon: str
    accent: int
    asks: tuple[Ask, ...]


def asking(
    *, town: Municipality, household: Household, children: Sequence[HouseholdChild], at: datetime
) -> tuple[AskGroup, ...]:
    """Four queries: the years, the offer, the enrolments, the periods to come."""
    today = at.astimezone(town.tz).date()
    open_years, later_years = years_to_enrol(today=today, at=at)
    schools = {one.child.school_id for one in children if one.child.school_id}
    services: dict[int, Service] = {}
    if children:
        for activity in (
            Activity.objects.filter(
                Q(site__in=schools) | Q(site__kind=Site.Kind.CENTRE), archived_at=None, service__archived_at=None
            )
            .select_related("service")
            .order_by("service__position", "service_id")
        ):
            services[activity.service_id] = activity.service
    states: dict[int, set[str]] = {}
    for service_id, state in Enrolment.objects.filter(
        household=household, state__in=LIVE_ENROLMENTS, school_year__last_day__gte=today
    ).values_list("activity__service_id", "state"):
        states.setdefault(service_id, set()).add(state)
    periods: dict[int, list[Period]] = {}
    for period in Period.objects.filter(service__in=list(services), archived_at=None, last_day__gte=today).order_by(
        "first_day"
    ):
        periods.setdefault(period.service_id, []).append(period)

    enrol = []
    names = list_words(midsentence(service.short_name) for service in services.values())
    for year in open_years:
        enrol.append(
            Ask(
                title=_("Inscrire à un service, %(year)s") % {"year": year.label},
                text=names[:1].upper() + names[1:],
                url=f"{reverse('portal:enrol')}?annee={year.label}",
            )
            if children
            else Ask(
                title=_("Inscrire à un service, %(year)s") % {"year": year.label},
                text=_("Aucun enfant n’est rattaché à votre foyer : écrivez-nous."),
            )
        )
    enrol += [
        Ask(
            title=_("Inscriptions %(year)s") % {"year": year.label},
            text=_("Ouvre %(moment)s") % {"moment": opening_words(year.enrolment_opens_at, at=at, town=town)},
        )
        for year in later_years
        if year.enrolment_opens_at is not None
    ]
    book = [_booking(service, states.get(service.pk, set()), periods.get(service.pk, []), town, at)
            for service in services.values()]  # fmt: skip
    if any(EnrolmentState.ACCEPTED in held for held in states.values()):
        book.append(
            Ask(
                title=_("Signaler une absence"),
                text=_("Trop tard pour annuler, mais votre enfant ne viendra pas"),
                url=reverse("portal:absence"),
            )
        )
    other = [
        Ask(
            title=_("Donner un document"),
            text=_("Photo ou PDF, et où en sont ceux que vous avez donnés"),
            url=reverse("portal:documents"),
        ),
        Ask(
            title=_("Aide et contact"),
            text=_("Écrire au service, l’appeler, comprendre le portail"),
            url=reverse("portal:help"),
        ),
    ]
    if town.email:
        other.insert(
            0,
            Ask(
                title=_("Écrire à : %(whom)s") % {"whom": town.department_name or town.name},
                text=town.email,
                url=f"mailto:{town.email}",
                icon="mail",
            ),
        )
    other.append(
        Ask(title=_("Voir l’historique du foyer"), text=_("Qui a fait quoi, et quand"), url=reverse("portal:history"))
    )
    return (
        AskGroup(slug="inscription", title=_("Inscriptions"), icon="clipboard-list", accent=2, asks=tuple(enrol)),
        AskGroup(slug="reservation", title=_("Réservations"), icon="calendar-days", accent=1, asks=tuple(book)),
        AskGroup(slug="autre", title=_("Autre"), icon="message-square", accent=3, asks=tuple(other)),
    )


def _booking(service: Service, states: set[str], periods: Sequence[Period], town: Municipality, at: datetime) -> Ask:
    """Reserving days of one service, or why not yet."""
    title = service.name
    if service.booking_mode == BookingMode.ENROLMENT_ONLY:
        return Ask(title=title, text=_("Inscription seule : %(what)s") % {"what": without_days_words(service)})
    if EnrolmentState.ACCEPTED in states:
        if periods and not any(period.opens_at is None or period.opens_at <= at for period in periods):
            opens = periods[0].opens_at
            assert opens is not None
            return Ask(title=title, text=_("Ouvre %(moment)s") % {"moment": opening_words(opens, at=at, town=town)})
        return Ask(
            title=title,
            text=_("Réserver ou annuler des jours"),
            url=reverse("portal:planning", args=[service.slug]),
        )
    if states:
        return Ask(title=title, text=_("L’inscription attend la réponse du service"))
    return Ask(title=title, text=_("Demandez d’abord l’inscription"))
