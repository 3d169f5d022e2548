"""All that was done in the family's name."""

from itertools import groupby

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.families.calls import NOTED
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import history as history_of
from marelle.foundation.sentences import day_words, time_words
from marelle.foundation.typed import typed

PER_PAGE = 30


@require_safe
@guardian_required
def history(request: GuardianHttpRequest) -> HttpResponse:
    """What was done, by whom, when: newest first, by day. `q` searches in the sentences and the names."""
    household = request.household
    town = municipality()
    words = typed(request.GET, "q", most=80)
    lines = history_of(household).exclude(action=NOTED)
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
