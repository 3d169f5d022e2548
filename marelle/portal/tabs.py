"""The parts of the families' portal that a town may switch off: what is off is nowhere, and says so to who comes by an
old address."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.families.models import Household
from marelle.families.permissions import GuardianHttpRequest
from marelle.townfile.town import Tab

View = Callable[..., HttpResponse]


def is_on(town: Municipality, tab: Tab) -> bool:
    return tab not in rules_of(town).municipality.tabs_off


def tabs_off(household: Household) -> frozenset[Tab]:
    """Which parts are off, from what came with the household (`families.permissions`): no query."""
    rules: str = getattr(household, "document_hash", None) or ""
    return frozenset(rules_of(Municipality(document_hash=rules)).municipality.tabs_off) if rules else frozenset()


def tab_required(tab: Tab) -> Callable[[View], View]:
    """404, with a sentence, where the town has switched this part off. Stands under `guardian_required`: a stranger is
    sent to the door all the same."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: GuardianHttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if tab not in tabs_off(request.household):
                return view(request, *args, **kwargs)
            town = Municipality.objects.defer("document").get(id=1)
            context = {"municipality": town, "sentence": _sentences()[tab]}
            return render(request, "portal/tab_off.html", context, status=404)

        return guarded

    return guard


def _sentences() -> dict[Tab, str]:
    return {
        Tab.BOOKINGS: _("Les réservations ne se font pas sur ce portail."),
        Tab.INVOICES: _("Les factures ne se lisent pas sur ce portail."),
        Tab.REQUESTS: _("Les demandes ne se font pas sur ce portail."),
        Tab.NEWS: _("Les actualités ne se lisent pas sur ce portail."),
    }
