"""What a family asks to have corrected, fact by fact (`families.facts`), and what comes of it.

A correction counts once an agent accepts it. Those of the facts that the family alone knows (a phone) count at once:
docs/decisions/0015-corrections.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.queries import municipality
from marelle.families.facts import Fact, Subject, fact_of, subject_type
from marelle.families.models import Child, Guardian, Guardianship, Household
from marelle.families.places import must_be_informed
from marelle.foundation import audit
from marelle.foundation.audit import Actor
from marelle.foundation.sentences import list_words
from marelle.requests import notifications
from marelle.requests.models import Act, Correction, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import (
    AlreadyAnswered,
    Answer,
    NewLine,
    ReasonMissing,
    Unsettled,
    Verdict,
    answer,
    close_lines,
    describe,
    lock_pending,
    open_request,
)
from marelle.rules.lifecycles import LineState

SUBJECTS: dict[str, type[Subject]] = {
    "household": Household,
    "guardian": Guardian,
    "guardianship": Guardianship,
    "child": Child,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`field` names a fact of the subject; `after` is its value as `families.facts` says it."""

    subject: Subject
    field: str
    after: Any

    @property
    def fact(self) -> Fact:
        return fact_of(subject_type(self.subject), self.field)


class NotTheirs(Exception):
    """Somebody asks for a change of what is not theirs to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A change that waits for an agent, as the family reads it."""

    line_id: int
    number: str
    fact: Fact
    asked: str
    after: Any


# ── asked by the family ─────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def ask_corrections(
    *,
    household: Household,
    changes: Collection[Change],
    by: User,
    at: datetime,
    send_key: UUID,
    message: str = "",
    even: bool = False,
) -> FamilyRequest | None:
    """Ask for these changes, in one request with a line for each; None when none of them changes anything (`even`:
    write it all the same, for instance with a paper that proves what is known already).

    What waits already for the same fact is withdrawn: the last word counts. Asking for the value that stands takes the
    waiting one back. The same `send_key` never asks twice. Raises NotTheirs: a guardian changes the household, its
    children, themselves and their own place in it; and ValueError for a value that the fact cannot take.
    """
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return done
    changes = _fresh(changes)
    _check_theirs(household, changes, by)
    wanted = _different(household, changes, at=at, by=by, even=even)
    if not wanted:
        return None
    return _open(household, wanted, by=by, at=at, send_key=send_key, message=message)


@transaction.atomic
def correct(
    *,
    household: Household,
    changes: Collection[Change],
    reason: str,
    by: User,
    at: datetime,
    send_key: UUID,
) -> FamilyRequest | None:
    """Correct a family's facts as an agent: it counts at once, the family reads the reason in its e-mail. None when
    nothing differs. What the family asked for and waits stays to be answered. Raises ReasonMissing, NotTheirs, and
    `families.places.MustBeInformed`: what is legal is not turned off."""
    if not reason.strip():
        raise ReasonMissing
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return done
    changes = _fresh(changes)
    _check_of_household(household, changes)
    _check_informed(changes)
    today = _today(at)
    wanted = [
        (change, before)
        for change in changes
        if (before := change.fact.read(change.subject, today=today)) != change.after
    ]
    if not wanted:
        return None
    return _open(household, wanted, by=by, at=at, send_key=send_key, reason=reason.strip())


def _open(
    household: Household,
    wanted: Sequence[tuple[Change, Any]],
    *,
    by: User,
    at: datetime,
    send_key: UUID,
    message: str = "",
    reason: str = "",
) -> FamilyRequest:
    """`reason`: given by an agent, for whom everything counts at once."""
    by_agent = bool(reason)
    for change, _before in wanted:
        if change.after is not None:
            change.fact.parsed(change.after)
    request, lines = open_request(
        household=household,
        kind=RequestKind.DATA,
        send_key=send_key,
        lines=[
            NewLine(
                act=Act.CHANGE,
                child=change.subject if isinstance(change.subject, Child) else None,
                site=change.subject.school if isinstance(change.subject, Child) else None,
                label=label_of(change.fact, of=change.subject)[:200],
                at_once=by_agent or change.fact.at_once,
                reason=reason,
            )
            for change, _before in wanted
        ],
        by=by,
        at=at,
        tz=municipality().tz,
        message=message,
        by_agent=by_agent,
    )
    corrections = Correction.objects.bulk_create(
        Correction(
            line=line,
            subject_type=subject_type(change.subject),
            subject_id=change.subject.pk,
            field=change.field,
            before=before,
            after=change.after,
        )
        for line, (change, before) in zip(lines, wanted, strict=True)
    )
    audit.record(
        at=at,
        by=by.actor(as_agent=by_agent),
        action="corrections.made" if by_agent else "corrections.asked",
        subject=request,
        household_id=household.pk,
        text=(
            _("Dossier corrigé par le service, demande n° %(number)s : %(what)s.")
            if by_agent
            else _("Demande n° %(number)s envoyée : %(what)s.")
        )
        % {
            "number": request.number,
            "what": list_words(dict.fromkeys(str(change.fact.label) for change, _before in wanted)).lower(),
        },
        facts={"lines": [describe(line) for line in lines]},
    )
    for correction in corrections:
        if correction.line.at_once:
            _apply(correction, household=household, by=by.actor(as_agent=by_agent), at=at)
    (notifications.answered if by_agent else notifications.sent)(request=request, lines=lines, at=at)
    return request


def label_of(fact: Fact, *, of: Subject) -> str:
    """What a line says: the fact, and of an adult whose it is. No value: it stands in e-mails."""
    if isinstance(of, Guardian):
        return _("%(fact)s de %(who)s") % {"fact": fact.label, "who": of.first_name}
    if isinstance(of, Guardianship):
        return _("%(fact)s de %(who)s") % {"fact": fact.label, "who": of.guardian.first_name}
    return str(fact.label)


def _fresh(changes: Collection[Change]) -> list[Change]:
    """The same, their subjects read anew: what stands is compared under the household's lock."""
    subjects: dict[tuple[str, int], Subject] = {}
    for change in changes:
        key = subject_type(change.subject), change.subject.pk
        if key not in subjects:
            subjects[key] = SUBJECTS[key[0]].objects.get(pk=key[1])
    return [replace(change, subject=subjects[subject_type(change.subject), change.subject.pk]) for change in changes]


def _different(
    household: Household, changes: Collection[Change], *, at: datetime, by: User, even: bool
) -> list[tuple[Change, Any]]:
    """The changes that change something, each with the value that stands; what waited for the same facts is
    withdrawn."""
    today = _today(at)
    waiting = pending_corrections(household)
    wanted: list[tuple[Change, Any]] = []
    replaced: list[Correction] = []
    for change in changes:
        before = change.fact.read(change.subject, today=today)
        old = waiting.get((subject_type(change.subject), change.subject.pk, change.field))
        if old is not None and old.after == change.after and not even:
            continue
        if old is not None:
            replaced.append(old)
        if before != change.after or even:
            wanted.append((change, before))
    by_request: dict[int, list[int]] = {}
    for old in replaced:
        by_request.setdefault(old.line.request_id, []).append(old.line_id)
    for request_id in sorted(by_request):
        _withdraw(request_id, by_request[request_id], by=by, at=at)
    return wanted


def _check_theirs(household: Household, changes: Collection[Change], by: User) -> None:
    _check_of_household(household, changes)
    for change in changes:
        adult = change.subject.guardian if isinstance(change.subject, Guardianship) else change.subject
        if (isinstance(adult, Guardian) and adult.user_id != by.pk) or change.fact.by_agents:
            raise NotTheirs


def _check_of_household(household: Household, changes: Collection[Change]) -> None:
    children = set(household.residences.values_list("child_id", flat=True))
    places = dict(household.guardianships.values_list("pk", "guardian_id"))
    own = {
        "household": {household.pk},
        "child": children,
        "guardian": set(places.values()),
        "guardianship": set(places),
    }
    for change in changes:
        if change.subject.pk not in own[subject_type(change.subject)]:
            raise NotTheirs


def _check_informed(changes: Collection[Change]) -> None:
    places: dict[Guardianship, dict[str, Any]] = {}
    for change in changes:
        if isinstance(change.subject, Guardianship):
            places.setdefault(change.subject, {})[change.field] = change.after
    for place, said in places.items():
        must_be_informed(
            is_legal=said.get("is_legal", place.is_legal), gets_mail=said.get("gets_mail", place.gets_mail)
        )


def _today(at: datetime) -> date:
    return at.astimezone(municipality().tz).date()


# ── what waits ──────────────────────────────────────────────────────────────────────────────────────────────────────


def pending_corrections(household: Household) -> dict[tuple[str, int, str], Correction]:
    """What this household asked to have corrected and no agent has answered, by subject and fact: one query. The other
    home of a shared child asks on its own, and learns nothing of it."""
    found = Correction.objects.filter(line__request__household=household, line__state=LineState.PENDING).select_related(
        "line__request"
    )
    return {(one.subject_type, one.subject_id, one.field): one for one in found}


def pending_of(waiting: Mapping[tuple[str, int, str], Correction], subject: Subject) -> dict[str, Pending]:
    """Of what waits, what concerns this one, by the fact's name."""
    kind = subject_type(subject)
    return {
        field: Pending(
            line_id=one.line_id,
            number=one.line.request.number,
            fact=fact_of(kind, field),
            asked=fact_of(kind, field).words(one.after),
            after=one.after,
        )
        for (of, id, field), one in waiting.items()
        if of == kind and id == subject.pk
    }


def asked_words(lines: Collection[RequestLine]) -> dict[int, str]:
    """What each of these lines of change asks, with its value, by line id: for pages, never for e-mails. One query."""
    return {
        one.line_id: _("%(what)s : %(value)s")
        % {
            "what": one.line.label,
            "value": fact_of(one.subject_type, one.field).words(one.after) or _("rien"),
        }
        for one in Correction.objects.filter(line__in=[line.pk for line in lines]).select_related("line")
    }


@transaction.atomic
def take_back(*, household: Household, line_id: int, by: User, at: datetime) -> FamilyRequest:
    """Withdraw one change that waits; the others of its request go on. Raises RequestLine.DoesNotExist when it is not
    of this household, AlreadyAnswered."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    line = RequestLine.objects.get(pk=line_id, request__household=household, act=Act.CHANGE)
    return _withdraw(line.request_id, [line.pk], by=by, at=at)


def _withdraw(request_id: int, line_ids: Collection[int], *, by: User, at: datetime) -> FamilyRequest:
    request, lines = lock_pending(request_id=request_id, line_ids=line_ids)
    close_lines(request, lines, state=LineState.WITHDRAWN, by=str(by), at=at)
    audit.record(
        at=at,
        by=by.actor(),
        action="corrections.withdrawn",
        subject=request,
        household_id=request.household_id,
        text=_("Demande n° %(number)s, changement retiré : %(what)s.")
        % {"number": request.number, "what": list_words(line.label for line in lines)},
        facts={"lines": [describe(line) for line in lines]},
    )
    return request


# ── answered by an agent ────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def answer_corrections(*, request_id: int, verdicts: Mapping[int, Verdict], by: User, at: datetime) -> Answer:
    """`requests.services.answer`, after the household's lock, which comes before its requests'."""
    home = FamilyRequest.objects.values_list("household_id", flat=True).get(pk=request_id)
    list(Household.objects.select_for_update(no_key=True).filter(pk=home).values_list("pk"))
    return answer(request_id=request_id, verdicts=verdicts, by=by, at=at)


def settle(
    *,
    request: FamilyRequest,
    accepted: Sequence[RequestLine],
    refused: Sequence[RequestLine],
    withdrawn: Sequence[RequestLine],
    verdicts: Mapping[int, Verdict],
    by: Actor,
    at: datetime,
) -> None:
    """Write what is accepted (`settings.SETTLERS`). A value that somebody changed since the family asked is written
    over only by an agent who saw it: `Verdict.details["now"]` is what their page showed. Raises Unsettled."""
    today = _today(at)
    corrections = Correction.objects.filter(line__in=[line.pk for line in accepted]).select_related("line")
    for correction in corrections:
        subject = subject_of(correction)
        if subject is None:
            raise Unsettled(correction.line, _("Ce dossier n’existe plus. Refusez cette ligne."))
        fact = fact_of(correction.subject_type, correction.field)
        now = fact.read(subject, today=today)
        if now in (correction.before, correction.after):
            continue
        if verdicts[correction.line_id].details.get("now", correction.before) != now:
            raise Unsettled(
                correction.line,
                _("%(what)s a changé depuis : le dossier dit maintenant « %(now)s ». Relisez avant d’accepter.")
                % {"what": fact.label, "now": fact.words(now) or _("rien")},
            )
    for correction in corrections:
        _apply(correction, household=request.household, by=by, at=at)


def subject_of(correction: Correction) -> Subject | None:
    return SUBJECTS[correction.subject_type].objects.filter(pk=correction.subject_id).first()


def _apply(correction: Correction, *, household: Household, by: Actor, at: datetime) -> None:
    fact = fact_of(correction.subject_type, correction.field)
    subject = subject_of(correction)
    assert subject is not None
    now = fact.read(subject, today=_today(at))
    if now == correction.after:
        return
    try:
        fact.write(subject, correction.after, by=by, at=at)
    except (ValueError, ValidationError) as fault:
        raise Unsettled(correction.line, _("Cette valeur ne peut pas être enregistrée.")) from fault
    audit.record(
        at=at,
        by=by,
        action=f"{correction.subject_type}.corrected",
        subject=subject,
        household_id=household.pk,
        text=(
            _("%(what)s : changement enregistré.") if fact.discreet else _("%(what)s : %(after)s (avant : %(before)s).")
        )
        % {
            "what": label_of(fact, of=subject),
            "after": fact.words(correction.after) or _("rien"),
            "before": fact.words(now) or _("rien"),
        },
        facts={"field": correction.field, "line": correction.line_id},
    )


__all__ = [
    "AlreadyAnswered",
    "Change",
    "NotTheirs",
    "Pending",
    "answer_corrections",
    "ask_corrections",
    "asked_words",
    "correct",
    "pending_corrections",
    "pending_of",
    "settle",
    "take_back",
]
