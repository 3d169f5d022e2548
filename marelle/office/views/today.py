"""Where an agent arrives: the day."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marelle.accounts.permissions import agent_required
from marelle.activities.queries import municipality
from marelle.bookings.queries.closures import seen_from
from marelle.foundation.postman import not_sent_count
from marelle.foundation.sentences import day_words, time_words
from marelle.office.closures import whom_words
from marelle.office.diets import needs_on
from marelle.office.mails import DESK, mails_for
from marelle.office.queue import Readings, sites_of, waiting_words
from marelle.office.today import day_of_the_town
from marelle.requests.queries import Sought, queue, waiting, with_lines
from marelle.rules.calendars import BeyondCalendar

FIRST = 5


@require_safe
@agent_required()
def today(request: HttpRequest) -> HttpResponse:
    """The day asked for ("?jour=2026-11-24"), today without one. A day outside the school calendar is not found."""
    town, at = municipality(), request.at  # type: ignore[attr-defined]
    role = request.agent  # type: ignore[attr-defined]
    now = at.astimezone(town.tz)
    sites = sites_of(role)
    try:
        day = date.fromisoformat(request.GET["jour"]) if request.GET.get("jour") else now.date()
        shown = day_of_the_town(town=town, day=day, today=now.date(), at=at, sites=sites)
    except (ValueError, BeyondCalendar) as fault:
        raise Http404 from fault
    first = queue(Sought(), today=now.date(), tz=town.tz, answer_days=town.answer_working_days, sites=sites)
    rows = Readings(list(with_lines(first)[:FIRST]), town=town, at=at, sites=sites).rows(reader=request.user.pk or 0)
    waits = waiting(sites)
    reads_mail = role.kind in DESK
    return render(
        request,
        "office/today/index.html",
        {
            "municipality": town,
            "today": shown,
            "needs": needs_on(shown.day, town=town, role=role, sites=sites, at=at),
            "title": day_words(shown.day).capitalize(),
            "now_words": time_words(now.time().replace(second=0, microsecond=0)) if shown.is_today else "",
            "week": _("semaine %(number)d") % {"number": shown.day.isocalendar().week},
            "closures": [
                {"closure": closure, "whom": whom_words(closure)}
                for closure in seen_from(sites).filter(days__date=shown.day, days__lifted_at=None)
            ],
            "rows": rows,
            "waiting": waits,
            "oldest": waiting_words(at - waits.oldest) if waits.oldest else "",
            "mails": not_sent_count(mails_for(role, at=at)) if reads_mail else None,
            "next_open_words": day_words(shown.next_open) if shown.next_open else "",
            "keys_on": request.session.get("keys") != "off",
        },
    )
