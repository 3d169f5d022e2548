"""The right to use services, their days, and what is too late to change."""

from collections.abc import Iterable, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.models import BookingMode, Period, Service
from marelle.activities.queries import rules_of
from marelle.bookings.models import EnrolmentDraft
from marelle.bookings.queries.prerequisites import school_services
from marelle.foundation.sentences import list_words, midsentence
from marelle.portal.asking.ask import Ask, Occasion, Resume
from marelle.portal.moments import near_moment_words, opening_words
from marelle.portal.tabs import is_on
from marelle.portal.without_days import without_days_words
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import RequestGroup, ServiceKind, Tab

_GROUPS = {ServiceKind.SCHOOL: RequestGroup.SCHOOL, ServiceKind.HOLIDAYS: RequestGroup.HOLIDAYS}


def enrolments(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    names = list_words(midsentence(service.short_name) for service in occasion.services.values())
    for year in occasion.open_years:
        title = _("Inscrire à un service, %(year)s") % {"year": year.label}
        if occasion.children:
            url = f"{reverse('portal:enrol')}?annee={year.label}"
            yield RequestGroup.CANTEEN, Ask(title=title, text=names[:1].upper() + names[1:], url=url)
        else:
            yield (
                RequestGroup.CANTEEN,
                Ask(title=title, text=_("Aucun enfant n’est rattaché à votre foyer : écrivez-nous.")),
            )
    for year in occasion.later_years:
        if year.enrolment_opens_at is not None:
            opens = opening_words(year.enrolment_opens_at, at=occasion.at, town=occasion.town)
            yield (
                RequestGroup.CANTEEN,
                Ask(
                    title=_("Inscriptions %(year)s") % {"year": year.label},
                    text=_("Ouvre %(moment)s") % {"moment": opens},
                ),
            )


def enrolled(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    """What was asked for, to see and change, and the dossier of each child. No query."""
    if occasion.states:
        yield (
            RequestGroup.CANTEEN,
            Ask(
                title=_("Mes inscriptions"),
                text=_("Les voir enfant par enfant, les modifier"),
                url=reverse("portal:enrolments"),
            ),
        )
    for one in occasion.children:
        yield (
            RequestGroup.SCHOOL,
            Ask(
                title=_("Dossier de %(name)s") % {"name": one.name},
                text=_("Ce qui est fait, ce qui manque"),
                url=reverse("portal:dossier", args=[one.id]),
            ),
        )


def school(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    """A place at a school, where the town gives one through the portal. No query."""
    if occasion.open_years and school_services(rules_of(occasion.town)):
        yield (
            RequestGroup.SCHOOL,
            Ask(
                title=_("Inscrire mon enfant à l’école"),
                text=_("Mettre le foyer à jour, ajouter un enfant, demander sa place"),
                url=f"{reverse('portal:enrol')}?annee={occasion.open_years[0].label}",
            ),
        )


def drafts(occasion: Occasion) -> Iterable[Resume]:
    """Enrolments begun and not sent: one query."""
    for draft in EnrolmentDraft.objects.filter(
        user=occasion.user, household=occasion.household, school_year__last_day__gte=occasion.today
    ).select_related("school_year"):
        url = reverse("portal:enrol_step", args=[draft.step]) if draft.step else reverse("portal:enrol")
        what = {
            "year": draft.school_year.label,
            "moment": near_moment_words(draft.changed_at, at=occasion.at, town=occasion.town),
        }
        yield Resume(
            text=_("Inscription %(year)s commencée, pas encore envoyée. Dernier enregistrement : %(moment)s.") % what,
            url=f"{url}?annee={draft.school_year.label}",
            hidden=_(" mon inscription %(year)s") % what,
        )


def bookings(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    if not is_on(occasion.town, Tab.BOOKINGS):
        return
    kinds = {service.slug: service.kind for service in rules_of(occasion.town).services}
    for service in occasion.services.values():
        if service.booking_mode == BookingMode.ENROLMENT_ONLY and not service.billing_note:
            continue  # nothing to reserve, and nothing to say of it
        group = _GROUPS.get(kinds.get(service.slug, ServiceKind.OTHER), RequestGroup.CANTEEN)
        states = occasion.states.get(service.pk, frozenset())
        yield group, _booking(service, states, occasion.periods.get(service.pk, ()), occasion)


def absence(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    accepted = any(EnrolmentState.ACCEPTED in held for held in occasion.states.values())
    if accepted and is_on(occasion.town, Tab.BOOKINGS):
        yield (
            RequestGroup.CANTEEN,
            Ask(
                title=_("Signaler une absence"),
                text=_("Trop tard pour annuler, mais votre enfant ne viendra pas"),
                url=reverse("portal:absence"),
            ),
        )


def _booking(service: Service, states: frozenset[str], periods: Sequence[Period], occasion: Occasion) -> Ask:
    """Reserving days of one service, or why not yet."""
    title = service.name
    if service.booking_mode == BookingMode.ENROLMENT_ONLY:
        return Ask(title=title, text=_("Inscription seule : %(what)s") % {"what": without_days_words(service)})
    if EnrolmentState.ACCEPTED in states:
        if periods and not any(period.opens_at is None or period.opens_at <= occasion.at for period in periods):
            opens = periods[0].opens_at
            assert opens is not None
            return Ask(
                title=title,
                text=_("Ouvre %(moment)s") % {"moment": opening_words(opens, at=occasion.at, town=occasion.town)},
            )
        return Ask(
            title=title,
            text=_("Réserver ou annuler des jours"),
            url=reverse("portal:planning", args=[service.slug]),
        )
    if states:
        return Ask(title=title, text=_("L’inscription attend la réponse du service"))
    return Ask(title=title, text=_("Demandez d’abord l’inscription"))
