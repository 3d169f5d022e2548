"""The blocks of a family's space: its information, its children, then each service with its enrolments and its
reservations. What is to do stands above them; here is the way to everything."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.models import BookingMode, Service, Site
from marelle.activities.queries import offer_of
from marelle.bookings.models import Enrolment
from marelle.foundation.components.kids import Kid
from marelle.foundation.sentences import day_words, list_words, midsentence
from marelle.portal.children import HouseholdChild
from marelle.portal.home.glance import Glance
from marelle.portal.home.today import is_expected
from marelle.portal.tabs import is_on
from marelle.portal.without_days import without_days_words
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A line of a block: what it is ("Inscriptions"), where it stands, and the one thing to do there. `hidden`
    completes the link's words for screen readers."""

    title: str
    text: str
    url: str = ""
    action: str = ""
    hidden: str = ""
    kid: Kid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    slug: str
    title: str
    icon: str
    accent: int = 0
    parts: tuple[Part, ...]


def blocks(glance: Glance) -> tuple[Block, ...]:
    """No query: all is read already, or the offer's, which the process keeps."""
    return (_information(glance), _children(glance), *_services(glance))


def _information(glance: Glance) -> Block:
    home = glance.household
    place = f"{home.postcode} {home.city}".strip()
    return Block(
        slug="informations",
        title=_("Mes informations"),
        icon="house",
        parts=(
            Part(
                title=_("Foyer %(name)s") % {"name": home.name},
                text=", ".join(part for part in (home.address, place) if part) or _("Adresse pas encore indiquée"),
                url=reverse("portal:family"),
                action=_("Voir"),
                hidden=_(" mes informations"),
            ),
            Part(
                title=_("Historique"),
                text=_("Qui a fait quoi, et quand"),
                url=reverse("portal:history"),
                action=_("Voir"),
                hidden=_(" l’historique"),
            ),
        ),
    )


def _children(glance: Glance) -> Block:
    return Block(
        slug="enfants",
        title=_("Mes enfants"),
        icon="users",
        parts=tuple(
            Part(
                title=one.name,
                text=_about(one),
                url=reverse("portal:child", args=[one.id]),
                action=_("Voir"),
                hidden=_(" la fiche de %(name)s") % {"name": one.name},
                kid=one.kid,
            )
            for one in glance.children
        )
        or (
            Part(
                title=_("Aucun enfant dans votre foyer"),
                text=_("Écrivez-nous : nous l’ajoutons à votre dossier."),
                url=reverse("portal:help"),
                action=_("Nous joindre"),
            ),
        ),
    )


def _about(one: HouseholdChild) -> str:
    child = one.child
    known = (child.class_name or child.level, child.school.name if child.school else "")
    return ", ".join(part for part in known if part)


def _services(glance: Glance) -> Iterable[Block]:
    """Those that the children may use, in the town's order, and those that they use elsewhere."""
    schools = {one.child.school_id for one in glance.children}
    offered: dict[int, Service] = {}
    if glance.children:
        for activity in offer_of(glance.town).activities.values():
            within_reach = activity.site_id in schools or activity.site.kind == Site.Kind.CENTRE
            if within_reach and activity.service.archived_at is None:
                offered[activity.service_id] = activity.service
    held: dict[int, list[Enrolment]] = {}
    for enrolment in glance.enrolments:
        if enrolment.state != EnrolmentState.REFUSED:
            held.setdefault(enrolment.activity.service_id, []).append(enrolment)
            offered.setdefault(enrolment.activity.service_id, enrolment.activity.service)
    next_days = _next_days(glance)
    for service in sorted(offered.values(), key=lambda one: (one.position, one.pk)):
        mine = held.get(service.pk, [])
        yield Block(
            slug=service.slug,
            title=service.name,
            icon=service.icon,
            accent=service.accent,
            parts=tuple(_parts(glance, service, mine, next_days.get(service.pk))),
        )


def _parts(glance: Glance, service: Service, mine: list[Enrolment], following: date | None) -> Iterable[Part]:
    """The parts that the town has not switched off."""
    if is_on(glance.town, Tab.REQUESTS):
        yield _enrolments(service, mine)
    if is_on(glance.town, Tab.BOOKINGS):
        yield _reservations(service, mine, following)


def _enrolments(service: Service, mine: list[Enrolment]) -> Part:
    accepted = [one for one in mine if one.state == EnrolmentState.ACCEPTED]
    waiting = [one for one in mine if one.state != EnrolmentState.ACCEPTED]
    said = []
    if accepted:
        said.append(_("Acceptées : %(names)s") % {"names": _names(accepted)})
    if waiting:
        said.append(_("En cours : %(names)s") % {"names": _names(waiting)})
    return Part(
        title=_("Inscriptions"),
        text=". ".join(said) or _("Aucune pour l’instant"),
        url=f"{reverse('portal:enrol')}#s-{service.slug}",
        action=_("Inscrire"),
        hidden=_(" : %(service)s") % {"service": midsentence(service.name)},
    )


def _reservations(service: Service, mine: list[Enrolment], following: date | None) -> Part:
    title = _("Réservations")
    if service.booking_mode == BookingMode.ENROLMENT_ONLY:
        return Part(title=title, text=_("Inscription seule : %(what)s") % {"what": without_days_words(service)})
    if not any(one.state == EnrolmentState.ACCEPTED for one in mine):
        return Part(
            title=title,
            text=_("L’inscription attend la réponse du service") if mine else _("Demandez d’abord l’inscription"),
        )
    return Part(
        title=title,
        text=_("Prochain jour : %(day)s") % {"day": day_words(following)}
        if following
        else _("Aucun jour réservé dans les quatre semaines"),
        url=reverse("portal:planning", args=[service.slug]),
        action=_("Réserver"),
        hidden=_(" ou annuler : %(service)s") % {"service": midsentence(service.name)},
    )


def _names(enrolments: list[Enrolment]) -> str:
    return list_words(dict.fromkeys(one.child.first_name for one in enrolments))


def _next_days(glance: Glance) -> dict[int, date]:
    """By service, the next day on which a child of the household is expected."""
    found: dict[int, date] = {}
    for state in glance.days.states.values():
        if state.day >= glance.today and is_expected(state):
            service = state.enrolment.activity.service_id
            found[service] = min(found.get(service, state.day), state.day)
    return found
