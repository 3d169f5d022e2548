"""Where a family stands in a service: its tabs, its enrolments, its children, whom it may write to."""

from dataclasses import dataclass
from functools import cached_property

from django.http import Http404
from django.urls import reverse

from marelle.activities.models import Municipality, Service, Site
from marelle.activities.queries import Contact, contacts_for, municipality
from marelle.bookings.models import Enrolment
from marelle.bookings.queries.days import live_enrolments
from marelle.families.models import Household
from marelle.families.permissions import GuardianHttpRequest
from marelle.families.queries import kids_of
from marelle.foundation.components.grid import Kid
from marelle.rules.lifecycles import EnrolmentState

SHOWN = (EnrolmentState.ACCEPTED, EnrolmentState.SUBMITTED, EnrolmentState.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Tab:
    service: Service
    url: str
    current: bool


@dataclass(frozen=True)
class Place:
    """Where a family stands in a service: all that the planning's views share."""

    town: Municipality
    household: Household
    service: Service
    tabs: list[Tab]
    live: list[Enrolment]  # accepted or asked, of all services
    enrolments: list[Enrolment]  # accepted, of this service (and at `site`, when one is chosen)
    waiting: list[Enrolment]  # asked, not answered yet
    site: str = ""  # the slug of the establishment chosen, when the children are enrolled at several
    sites: tuple[Site, ...] = ()  # where the children are enrolled

    @cached_property
    def kids(self) -> dict[int, Kid]:
        """The household's children by id. One query, when first asked: a form that is only kept does not ask."""
        return kids_of(self.household)

    @property
    def missing(self) -> list[Kid]:
        """The children of the household who have no enrolment in this service, even asked."""
        known = {e.child_id for e in (*self.live, *self.waiting) if e.activity.service_id == self.service.id}
        return [kid for child, kid in self.kids.items() if child not in known]


def contacts_of(place: Place) -> list[Contact]:
    return contacts_for(place.service, (e.activity.site for e in place.enrolments), place.town)


def place_of(request: GuardianHttpRequest, slug: str, *, asked: str | None = None) -> Place:
    """The service as this household stands in it, at the establishment that `asked` (else the address or the form)
    names, if any; a service that the town does not have is a 404."""
    town = municipality()
    enrolments = live_enrolments(town=town, household=request.household, states=SHOWN)
    services = {e.activity.service_id: e.activity.service for e in enrolments}
    ordered = sorted(services.values(), key=lambda service: (service.position, service.id))
    service = next((found for found in ordered if found.slug == slug), None)
    if service is None:
        service = Service.objects.filter(slug=slug, archived_at=None).first()
        if service is None:
            raise Http404
    mine = [e for e in enrolments if e.activity.service_id == service.id]
    accepted = [e for e in mine if e.state == EnrolmentState.ACCEPTED]
    sites = tuple({e.activity.site_id: e.activity.site for e in accepted}.values())
    if asked is None:
        asked = request.POST.get("lieu", "") or request.GET.get("lieu", "")
    site = asked if len(sites) > 1 and any(found.slug == asked for found in sites) else ""
    return Place(
        town=town,
        household=request.household,
        service=service,
        tabs=[
            Tab(service=found, url=reverse("portal:planning", args=[found.slug]), current=found.id == service.id)
            for found in ordered
        ],
        live=enrolments,
        enrolments=[e for e in accepted if not site or e.activity.site.slug == site],
        waiting=[e for e in mine if e.state != EnrolmentState.ACCEPTED],
        site=site,
        sites=sites,
    )
