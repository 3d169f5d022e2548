"""What is to do about the right to use a service: a refusal to correct, a child in no service yet."""

from collections.abc import Iterable
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.bookings.models import Enrolment
from marelle.foundation.sentences import list_words, midsentence
from marelle.portal.home.glance import Glance
from marelle.portal.home.todo import Todo
from marelle.rules.lifecycles import EnrolmentState

REFUSAL_SHOWN = timedelta(days=60)


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
    """In no service, and nothing asked for them lately."""
    asked = {enrolment.child_id for enrolment in glance.enrolments}
    new = [one.name for one in glance.children if one.id not in asked]
    if new:
        yield Todo(
            title=_("Inscrivez %(names)s à un premier service") % {"names": list_words(new)},
            text=_("Cantine, accueil, centre de loisirs : l’inscription ouvre le droit de réserver."),
            icon="clipboard-list",
            url=reverse("portal:enrol"),
            action=_("Inscrire"),
            hidden=_(" %(names)s") % {"names": list_words(new)},
        )
