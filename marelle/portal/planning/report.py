"""What a shortcut did, in words, with its undo: "6 lundis ajoutés. 1 ignoré : mardi 17 novembre, complet."."""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.contrib import messages
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.bookings.queries.days import DayState, load_days
from marelle.bookings.services.baskets import Key
from marelle.bookings.services.shortcuts import Chosen, Step, undo_choice
from marelle.families.permissions import GuardianHttpRequest
from marelle.foundation.sentences import day_words, list_words, midsentence, sentence
from marelle.portal.planning.place import Place
from marelle.portal.planning.stretches import units_count
from marelle.rules.decisions import Decision, Reason, Refused

#: What the session keeps of the last shortcut, and the tag of the message that offers to undo it.
LAST = "planning_last"
UNDO = "undo"
EXAMPLES = 3


def tell_chosen(request: GuardianHttpRequest, chosen: Chosen, place: Place, *, on: bool) -> None:
    """Say what the shortcut did and left aside, and keep in the session what undoes it."""
    parts = [_count_words(chosen.done, place, on=on)] if chosen.done else []
    parts += _skipped_words(chosen.skipped, place)
    if chosen.done:
        request.session[LAST] = {
            "token": secrets.token_hex(8),
            "household": request.household.pk,
            "service": place.service.pk,
            "steps": [[*_packed(key), step.before, step.after] for key, step in chosen.steps.items()],
        }
        messages.success(request, " ".join(parts), extra_tags=UNDO)
        return
    if not parts:
        parts = [_("Rien à ajouter : tout est déjà demandé ou fermé.") if on else _("Rien à annuler ici.")]
    messages.info(request, " ".join(parts))


def undo_last(request: GuardianHttpRequest, place: Place, token: str) -> None:
    """Take back the shortcut of that token, and no other; what was changed by hand since then stays."""
    last = request.session.get(LAST) or {}
    mine = last.get("household") == request.household.pk and last.get("service") == place.service.pk
    if not token or not mine or last.get("token") != token:
        messages.info(request, _("Il n’y a plus rien à annuler."))
        return
    steps: dict[Key, Step] = {
        (child, unit, date.fromisoformat(day)): Step(before, after) for child, unit, day, before, after in last["steps"]
    }
    days = load_days(
        town=place.town, enrolments=place.enrolments, at=request.at, dates={day for _child, _unit, day in steps}
    )
    undone = undo_choice(user=request.user, household=request.household, days=days, steps=steps, at=request.at)
    del request.session[LAST]
    text = ngettext("Annulé : %(n)d choix remis comme avant.", "Annulé : %(n)d choix remis comme avant.", len(undone))
    messages.info(request, text % {"n": len(undone)})


def last_token(request: GuardianHttpRequest) -> str:
    """What the "Annuler" button of the report just shown carries."""
    return str((request.session.get(LAST) or {}).get("token", ""))


def _packed(key: Key) -> tuple[int, int, str]:
    return key[0], key[1], key[2].isoformat()


def _count_words(done: Sequence[DayState], place: Place, *, on: bool) -> str:
    """ "6 lundis ajoutés pour Inès et Tom." when each child has as many; else child by child."""
    weekdays = {state.day.weekday() for state in done}
    noun = str(WEEKDAYS[weekdays.pop()]) if len(weekdays) == 1 else _("jour")
    by_child = Counter(dict.fromkeys((state.enrolment.child_id for state in done), 0))
    for child, _day in {(state.enrolment.child_id, state.day) for state in done}:
        by_child[child] += 1
    units = {state.unit.id: state.unit.name for state in done}
    of = ", " + list_words(midsentence(name) for name in units.values()) if _several_units(done, place) else ""

    def words(count: int) -> str:
        if on:
            text = ngettext("%(n)d %(day)s ajouté%(of)s", "%(n)d %(day)ss ajoutés%(of)s", count)
        else:
            text = ngettext("%(n)d %(day)s annulé%(of)s", "%(n)d %(day)ss annulés%(of)s", count)
        return text % {"n": count, "day": noun, "of": of}

    names = {child: kid.name for child, kid in place.kids.items()}
    if len({enrolment.child_id for enrolment in place.enrolments}) < 2:
        return f"{words(next(iter(by_child.values())))}."
    if len(set(by_child.values())) == 1:
        who = list_words(names.get(child, "") for child in by_child)
        return _("%(what)s pour %(who)s.") % {"what": words(next(iter(by_child.values()))), "who": who}
    said = [
        _("%(what)s pour %(who)s") % {"what": words(count), "who": names.get(child, "")}
        for child, count in by_child.items()
    ]
    return f"{list_words(said)}."


def _several_units(states: Sequence[DayState], place: Place) -> bool:
    return units_count(place) > 1 and bool(states)


def _skipped_words(skipped: Sequence[tuple[DayState, Decision]], place: Place) -> list[str]:
    """ "2 ignorés : mardi 17 novembre, Tom : complet ; …": the reasons in full for the first ones."""
    if not skipped:
        return []
    several = len({enrolment.child_id for enrolment in place.enrolments}) > 1
    by_why: dict[str, list[DayState]] = {}
    for state, verdict in skipped:
        by_why.setdefault(_why(verdict, place), []).append(state)
    told = []
    for why, states in list(by_why.items())[:EXAMPLES]:
        days = sorted({state.day for state in states})
        named = list_words(day_words(day) for day in days[:EXAMPLES])
        if len(days) > EXAMPLES:
            named = ngettext("%(days)s et %(n)d autre jour", "%(days)s et %(n)d autres jours", len(days) - EXAMPLES) % {
                "days": ", ".join(day_words(day) for day in days[:EXAMPLES]),
                "n": len(days) - EXAMPLES,
            }
        who = {state.enrolment.child_id for state in states}
        if several and len(who) == 1:
            kid = place.kids.get(who.pop())
            named = f"{named}, {kid.name}" if kid else named
        told.append(f"{named} ({why})")
    count = len({(state.enrolment.child_id, state.day) for state, _verdict in skipped})
    text = ngettext("%(n)d ignoré : %(what)s.", "%(n)d ignorés : %(what)s.", count)
    return [text % {"n": count, "what": " ; ".join(told)}]


def _why(verdict: Decision, place: Place) -> str:
    if not isinstance(verdict, Refused):
        return _("refusé auparavant : cochez-le vous-même pour redemander")
    if verdict.reason == Reason.FULL:
        return _("complet")
    return midsentence(sentence(verdict, place.town.tz))
