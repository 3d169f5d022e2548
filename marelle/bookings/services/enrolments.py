"""Asking for the right to use a service. Days come after, once an agent has accepted."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Activity, Group, Municipality, SchoolYear, Validation
from marelle.activities.queries import rules_of
from marelle.bookings import notifications
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.bookings.services.sending import lock_children
from marelle.families.models import Child, Household
from marelle.foundation import audit
from marelle.foundation.sentences import weekdays_words
from marelle.requests.models import Act, FamilyRequest, RequestKind
from marelle.requests.services import NewLine, describe, open_request
from marelle.rules import eligibility
from marelle.rules.decisions import Reason, Refused
from marelle.rules.eligibility import ChildFacts
from marelle.rules.lifecycles import EnrolmentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One child, one activity, and the days usually wanted (0 for Monday)."""

    child: Child
    activity: Activity
    usual_weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmet:
    wish: Wish
    refusal: Refused


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: the request (None when nothing could be asked) and the wishes left out, each with its
    reason."""

    request: FamilyRequest | None
    unmet: tuple[Unmet, ...] = ()
    repeated: bool = False


def child_facts(child: Child, household: Household) -> ChildFacts:
    """What the rules know of a child. `child.school` should be at hand."""
    return ChildFacts(
        birth_date=child.birth_date,
        level=child.level or None,
        class_name=child.class_name or None,
        school=child.school.slug if child.school is not None else None,
        resident=household.is_resident,
    )


def group_for(
    *, town: Municipality, activity: Activity, child: ChildFacts, groups: Sequence[Group], on: date
) -> Group | Refused:
    """The group of an activity that takes this child on that day, or why none does. `groups`: the activity's rows."""
    said = rules_of(town).service(activity.service.slug)
    refusal = eligibility.eligible(said.who.criteria(), child=child, day=on)
    if isinstance(refusal, Refused):
        return refusal
    known = {group.slug: group for group in groups}
    found = eligibility.group_for(
        [(group.slug, group.who.criteria()) for group in said.groups_at(activity.site.slug) if group.slug in known],
        child=child,
        day=on,
    )
    return found if isinstance(found, Refused) else known[found]


@transaction.atomic
def ask_enrolments(
    *,
    town: Municipality,
    user: User,
    household: Household,
    school_year: SchoolYear,
    wishes: Sequence[Wish],
    send_key: uuid.UUID,
    at: datetime,
    message: str = "",
) -> Asked:
    """Ask for several enrolments in one numbered request. A wish already live, or that the rules refuse, is left out
    and told; the same `send_key` never makes two requests."""
    lock_children(wish.child.id for wish in wishes)
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return Asked(request=done, repeated=True)
    live = set(
        Enrolment.objects.filter(
            household=household,
            school_year=school_year,
            child__in=[wish.child for wish in wishes],
            state__in=LIVE_ENROLMENTS,
        ).values_list("child_id", "activity_id")
    )
    groups: dict[int, list[Group]] = {}
    for group in Group.objects.filter(activity__in={wish.activity.id for wish in wishes}, archived_at=None):
        groups.setdefault(group.activity_id, []).append(group)
    on = max(at.astimezone(town.tz).date(), school_year.first_day)
    kept: list[tuple[Wish, Group]] = []
    unmet: list[Unmet] = []
    for wish in wishes:
        if (wish.child.id, wish.activity.id) in live:
            unmet.append(Unmet(wish, Refused(Reason.ALREADY_BOOKED)))
            continue
        suited = group_for(
            town=town,
            activity=wish.activity,
            child=child_facts(wish.child, household),
            groups=groups.get(wish.activity.id, []),
            on=on,
        )
        if isinstance(suited, Refused):
            unmet.append(Unmet(wish, suited))
        else:
            kept.append((wish, suited))
    if not kept:
        return Asked(request=None, unmet=tuple(unmet))

    request, rows = open_request(
        household=household,
        kind=RequestKind.ENROLMENT,
        send_key=send_key,
        lines=[
            NewLine(
                act=Act.ENROL,
                child=wish.child,
                activity=wish.activity,
                at_once=wish.activity.service.validation_enrol == Validation.IMMEDIATE,
            )
            for wish, _group in kept
        ],
        by=user,
        at=at,
        tz=town.tz,
        message=message,
    )
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(
            child=wish.child,
            household=household,
            activity=wish.activity,
            group=group,
            school_year=school_year,
            state=EnrolmentState.ACCEPTED if row.at_once else EnrolmentState.SUBMITTED,
            usual_weekdays=list(wish.usual_weekdays),
            line=row,
            changed_at=at,
        )
        for (wish, group), row in zip(kept, rows, strict=True)
    )
    names = ", ".join(f"{wish.child.first_name}\u00a0: {wish.activity.service.short_name}" for wish, _group in kept)
    audit.record(
        at=at,
        by=user.actor(),
        action="enrolment.asked",
        subject=request,
        household_id=household.id,
        text=_("Demande d’inscription n° %(number)s envoyée (%(what)s).") % {"number": request.number, "what": names},
        facts={"lines": [describe(row) for row in rows]},
    )
    notifications.enrolments_sent(request=request, enrolments=enrolments, at=at)
    return Asked(request=request, unmet=tuple(unmet))


@transaction.atomic
def keep_usual_days(*, enrolment: Enrolment, weekdays: Sequence[int], user: User, at: datetime) -> bool:
    """Remember on which weekdays the child usually comes (0 for Monday): what the typical week proposes next time. It
    books nothing. Whether anything changed."""
    days = sorted(set(weekdays))
    if enrolment.usual_weekdays == days:
        return False
    enrolment.usual_weekdays = days
    enrolment.save(update_fields=["usual_weekdays"])
    audit.record(
        at=at,
        by=user.actor(),
        action="enrolment.usual_days",
        subject=enrolment,
        household_id=enrolment.household_id,
        text=_("Jours habituels de %(name)s, %(service)s : %(days)s.")
        % {
            "name": enrolment.child.first_name,
            "service": enrolment.activity.service.short_name,
            "days": weekdays_words(days) or _("aucun"),
        },
    )
    return True
