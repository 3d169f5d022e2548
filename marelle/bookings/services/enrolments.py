"""Asking for the right to use a service. Days come after, once an agent has accepted."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Activity, Group, Municipality, SchoolYear, Validation
from marelle.activities.queries import rules_of
from marelle.bookings import notifications
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.bookings.queries.prerequisites import Kind, Prerequisites, load_prerequisites, school_services
from marelle.bookings.questions import LEVEL, answered
from marelle.bookings.services.sending import lock_children
from marelle.documents.labels import guarded_name
from marelle.documents.services import accept_terms
from marelle.families.models import Child, Household
from marelle.foundation import audit
from marelle.foundation.sentences import weekdays_words
from marelle.requests.models import Act, FamilyRequest, RequestKind
from marelle.requests.services import NewLine, describe, open_request
from marelle.rules import eligibility
from marelle.rules.decisions import Reason, Refused
from marelle.rules.eligibility import ChildFacts
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One child, one activity, the days usually wanted (0 for Monday), and the answers to the service's questions
    (`bookings.questions`)."""

    child: Child
    activity: Activity
    usual_weekdays: tuple[int, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)


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


def facts_for(wish: Wish, household: Household, *, town: Municipality) -> ChildFacts:
    """What the rules know of the child of a wish. Whoever asks for a place at a school is judged as if it had it."""
    facts = child_facts(wish.child, household)
    if wish.activity.service.slug not in school_services(rules_of(town)):
        return facts
    level = str(wish.answers.get(LEVEL) or "") or facts.level
    return replace(facts, school=wish.activity.site.slug, level=level)


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
    accepts: Iterable[Terms] = (),
) -> Asked:
    """Ask for several enrolments in one numbered request. A wish already live, or that the rules or the town's
    prerequisites refuse, is left out and told; the same `send_key` never makes two requests. `accepts`: the regulations
    that the family accepts with it.

    An enrolment that counts at once does not for a child whom no agent has seen yet.
    """
    lock_children(wish.child.id for wish in wishes)
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return Asked(request=done, repeated=True)
    for terms in accepts:
        accept_terms(household=household, terms=terms, by=user, at=at)
    today = at.astimezone(town.tz).date()
    required = load_prerequisites(
        town=town,
        household=household,
        children=list({wish.child.pk: wish.child for wish in wishes}.values()),
        school_year=school_year,
        services={wish.activity.service.slug for wish in wishes},
        on=today,
    )
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
    on = max(today, school_year.first_day)
    kept: list[tuple[Wish, Group]] = []
    unmet: list[Unmet] = []
    for wish in wishes:
        if (wish.child.id, wish.activity.id) in live:
            unmet.append(Unmet(wish, Refused(Reason.ALREADY_BOOKED)))
            continue
        suited = group_for(
            town=town,
            activity=wish.activity,
            child=facts_for(wish, household, town=town),
            groups=groups.get(wish.activity.id, []),
            on=on,
        )
        items = required.items(child=wish.child.pk, service=wish.activity.service.slug, answered=answered(wish.answers))
        ready = required.decide(items)
        if isinstance(suited, Refused):
            unmet.append(Unmet(wish, suited))
        elif isinstance(ready, Refused):
            unmet.append(Unmet(wish, ready))
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
                at_once=wish.activity.service.validation_enrol == Validation.IMMEDIATE
                and wish.child.declared_at is None,
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
            answers=dict(wish.answers),
            papers_due=required.waits_until(wish.activity.service.slug),
            line=row,
            changed_at=at,
        )
        for (wish, group), row in zip(kept, rows, strict=True)
    )
    settle_places([e for e in enrolments if e.state == EnrolmentState.ACCEPTED], town=town, at=at)
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
    notifications.enrolments_sent(
        request=request,
        enrolments=enrolments,
        at=at,
        awaited={
            enrolment.pk: _awaited(required, enrolment, answers=wish.answers, town=town)
            for enrolment, (wish, _group) in zip(enrolments, kept, strict=True)
        },
    )
    return Asked(request=request, unmet=tuple(unmet))


def _awaited(
    required: Prerequisites, enrolment: Enrolment, *, answers: Mapping[str, Any], town: Municipality
) -> list[str]:
    """The papers of an enrolment that may still come, by name; none that tells of health is named."""
    items = required.items(
        child=enrolment.child_id, service=enrolment.activity.service.slug, answered=answered(answers)
    )
    document = rules_of(town)
    return [guarded_name(document.paper(i.subject)) for i in items if i.kind is Kind.PAPER and i.is_for_family]


def settle_places(enrolments: Sequence[Enrolment], *, town: Municipality, at: datetime) -> None:
    """What an accepted enrolment makes of its child, in the caller's transaction: an agent has seen the child, and a
    place at a school is the child's school and level, at once when it has none or when that school year has begun."""
    today = at.astimezone(town.tz).date()
    at_school = school_services(rules_of(town))
    for enrolment in enrolments:
        child = enrolment.child
        changed = []
        if child.declared_at is not None:
            child.declared_at = None
            changed.append("declared_at")
        year = enrolment.school_year
        now = child.school_id is None or year.first_day <= today <= year.last_day
        if enrolment.activity.service.slug in at_school and now:
            if child.school_id != enrolment.activity.site_id:
                child.school, child.class_name = enrolment.activity.site, ""
                changed += ["school", "class_name"]
            level = str(enrolment.answers.get(LEVEL) or "")
            if level and level != child.level:
                child.level = level
                changed.append("level")
        if changed:
            child.save(update_fields=changed)


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
