"""Who the family is, as the town knows it, and all that was done in its name."""

from itertools import groupby

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.bookings.models import Enrolment
from marelle.families.models import Guardian
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import history as history_of
from marelle.foundation.sentences import day_words, time_words
from marelle.foundation.typed import typed
from marelle.portal.children import age_words, children_of
from marelle.rules.lifecycles import EnrolmentState

PER_PAGE = 30


@require_safe
@guardian_required
def family(request: GuardianHttpRequest) -> HttpResponse:
    """This household only: a child's other home is not said, nor that there is one."""
    household = request.household
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    services: dict[int, list[str]] = {}
    for child_id, name in (
        Enrolment.objects.filter(household=household, state=EnrolmentState.ACCEPTED, school_year__last_day__gte=today)
        .order_by("activity__service__position", "activity__service_id")
        .values_list("child_id", "activity__service__name")
    ):
        if name not in services.setdefault(child_id, []):
            services[child_id].append(name)
    return render(
        request,
        "portal/family/family.html",
        {
            "municipality": town,
            "household": household,
            "adults": Guardian.objects.filter(guardianships__household=household)
            .select_related("user")
            .order_by("guardianships__position", "guardianships__id"),
            "children": [
                (one, age_words(one.child.birth_date, today), services.get(one.id, []))
                for one in children_of(household)
            ],
        },
    )


@require_safe
@guardian_required
def history(request: GuardianHttpRequest) -> HttpResponse:
    """What was done, by whom, when: newest first, by day. `q` searches in the sentences and the names."""
    household = request.household
    town = municipality()
    words = typed(request.GET, "q", most=80)
    lines = history_of(household)
    for word in words.split()[:5]:
        lines = lines.filter(Q(text__icontains=word) | Q(actor_label__icontains=word))
    page = Paginator(lines, PER_PAGE).get_page(request.GET.get("page"))
    today = request.at.astimezone(town.tz).date()
    rows = [(line.at.astimezone(town.tz), line) for line in page.object_list]
    days = [
        {
            "words": day_words(day, year=day.year != today.year),
            "lines": [{"time": time_words(moment.time()), "line": line} for moment, line in found],
        }
        for day, found in groupby(rows, key=lambda row: row[0].date())
    ]
    return render(
        request,
        "portal/family/history.html",
        {"municipality": town, "page": page, "days": days, "words": words},
    )
