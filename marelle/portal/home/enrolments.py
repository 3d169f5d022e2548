"""What is to do about the right to use a service: what was begun, what an agent asks for, a refusal to correct, a child
in no service yet."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.queries import rules_of
from marelle.bookings.models import Enrolment, EnrolmentDraft
from marelle.bookings.queries.prerequisites import school_services
from marelle.foundation.sentences import list_words, midsentence
from marelle.portal.home.glance import Glance
from marelle.portal.home.todo import Todo
from marelle.portal.moments import near_moment_words
from marelle.rules.lifecycles import EnrolmentState

REFUSAL_SHOWN = timedelta(days=60)
PLACE_SHOWN = timedelta(days=60)


def _drafts(glance: Glance) -> "QuerySet[EnrolmentDraft]":
    return EnrolmentDraft.objects.filter(
        user=glance.user, household=glance.household, school_year__last_day__gte=glance.today
    )


def drafts_to_resume(glance: Glance) -> Iterable[Todo]:
    """Begun, and not sent."""
    for draft in _drafts(glance).select_related("school_year"):
        url = reverse("portal:enrol_step", args=[draft.step]) if draft.step else reverse("portal:enrol")
        moment = near_moment_words(draft.changed_at, at=glance.at, town=glance.town)
        yield Todo(
            title=_("Reprendre mon inscription %(year)s") % {"year": draft.school_year.label},
            text=_("Elle n’est pas envoyée. Dernier enregistrement : %(moment)s") % {"moment": moment},
            icon="clipboard-list",
            url=f"{url}?annee={draft.school_year.label}",
            action=_("Reprendre"),
            hidden=_(" mon inscription %(year)s") % {"year": draft.school_year.label},
        )


def enrolments_to_complete(glance: Glance) -> Iterable[Todo]:
    """An agent asks for more before answering: one line for each request."""
    told = set()
    for enrolment in glance.enrolments:
        number = enrolment.line.request.number
        if enrolment.state == EnrolmentState.INCOMPLETE and number not in told:
            told.add(number)
            service = enrolment.activity.service
            yield Todo(
                title=_("%(service)s pour %(name)s : demande à compléter")
                % {"service": service.short_name, "name": enrolment.child.first_name},
                text=enrolment.reason,
                icon=service.icon,
                accent=service.accent,
                url=reverse("portal:complete", args=[number]),
                action=_("Compléter"),
                hidden=_(" la demande n° %(number)s") % {"number": number},
            )


def refusals_to_correct(glance: Glance) -> Iterable[Todo]:
    """Refused lately, and not asked again since."""
    last: dict[tuple[int, int, int], Enrolment] = {}
    for enrolment in glance.enrolments:
        key = enrolment.child_id, enrolment.activity_id, enrolment.school_year_id
        if key not in last or enrolment.pk > last[key].pk:
            last[key] = enrolment
    for enrolment in last.values():
        if enrolment.state == EnrolmentState.REFUSED and enrolment.changed_at > glance.at - REFUSAL_SHOWN:
            service = enrolment.activity.service
            yield Todo(
                title=_("%(service)s pour %(name)s : inscription refusée")
                % {"service": service.short_name, "name": enrolment.child.first_name},
                text=enrolment.reason,
                icon=service.icon,
                accent=service.accent,
                url=f"{reverse('portal:enrol')}?annee={enrolment.school_year.label}#s-{service.slug}",
                action=_("Corriger"),
                hidden=_(" l’inscription pour %(name)s : %(service)s")
                % {"name": enrolment.child.first_name, "service": midsentence(service.name)},
            )


def children_to_enrol(glance: Glance) -> Iterable[Todo]:
    """In no service, and nothing asked for them lately; nothing while a request that was begun waits to be taken up. A
    place at the school is what services wait for: once it is given, the rest is still to be asked, and said for a
    while."""
    schools = school_services(rules_of(glance.town))
    asked = {
        enrolment.child_id
        for enrolment in glance.enrolments
        if enrolment.activity.service.slug not in schools
        or enrolment.state != EnrolmentState.ACCEPTED
        or enrolment.changed_at < glance.at - PLACE_SHOWN
    }
    new = [one.name for one in glance.children if one.id not in asked]
    if new and not _drafts(glance).exists():
        yield Todo(
            title=_("Inscrivez %(names)s à un premier service") % {"names": list_words(new)},
            text=_("Cantine, accueil, centre de loisirs : l’inscription ouvre le droit de réserver."),
            icon="clipboard-list",
            url=reverse("portal:enrol"),
            action=_("Inscrire"),
            hidden=_(" %(names)s") % {"names": list_words(new)},
        )
