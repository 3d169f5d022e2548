"""Handing in a document."""

import uuid
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.documents.labels import guarded_name, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.services.reviews import ask_review
from marelle.families.models import Child, Guardian, Household
from marelle.foundation import audit
from marelle.foundation.files.store import keep, path_of
from marelle.foundation.files.verdicts import Judged
from marelle.foundation.models import StoredFile
from marelle.foundation.sentences import day_words
from marelle.requests.models import Act, RequestLine
from marelle.requests.services import close_lines, lock_requests_of
from marelle.rules.lifecycles import LineState
from marelle.rules.papers import DocumentState
from marelle.townfile.town import Paper, PaperSubject


class NotAsked(Exception):
    """The document is not of somebody of this home, or not of whom the paper is about."""


def hand_in(
    *,
    household: Household,
    paper: Paper,
    judged: Judged,
    name: str,
    by: User,
    at: datetime,
    child: Child | None = None,
    guardian: Guardian | None = None,
    issued_on: date | None = None,
    valid_until: date | None = None,
    school_year: str = "",
    line: RequestLine | None = None,
    send_key: uuid.UUID | None = None,
    by_agent: bool = False,
) -> SupportingDocument:
    """Keep a document that the home gives for one of the town's papers; it waits for an agent.

    It replaces the one of the same paper and subject (and same `line`) that still waits or was refused. The same
    `send_key` never keeps two. `judged` is what `foundation.files.judging.judge` let through, `name` what the family
    called the file. `school_year`: the label of the year, which a yearly paper needs. `by_agent`: `by` is an agent who
    was given it at the counter. Raises NotAsked; whatever fails, no file stays.
    """
    kept: list[StoredFile] = []
    try:
        with transaction.atomic():
            return _hand_in(
                household=household,
                paper=paper,
                judged=judged,
                name=name,
                by=by,
                at=at,
                child=child,
                guardian=guardian,
                issued_on=issued_on,
                valid_until=valid_until,
                school_year=school_year if paper.rule().each_year else "",
                line=line,
                send_key=send_key or uuid.uuid4(),
                by_agent=by_agent,
                kept=kept,
            )
    except BaseException:
        for stored in kept:
            path_of(stored.id).unlink(missing_ok=True)
        raise


def _hand_in(
    *,
    household: Household,
    paper: Paper,
    judged: Judged,
    name: str,
    by: User,
    at: datetime,
    child: Child | None,
    guardian: Guardian | None,
    issued_on: date | None,
    valid_until: date | None,
    school_year: str,
    line: RequestLine | None,
    send_key: uuid.UUID,
    by_agent: bool,
    kept: list[StoredFile],
) -> SupportingDocument:
    lock_papers_of(household)
    done = SupportingDocument.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return done
    _check_subject(household, paper, child, guardian, school_year)
    kept.append(keep(judged, name=paper.name if paper.health else name, at=at))
    review = None
    if line is None or line.act == Act.ABSENT:
        review = ask_review(
            household=household,
            label=label_words(paper, line),
            child=child,
            health=paper.health,
            by=by,
            at=at,
            by_agent=by_agent,
        )
    replace(
        SupportingDocument.objects.filter(
            household=household, paper=paper.slug, child=child, guardian=guardian, school_year=school_year, line=line
        ),
        by=by,
        at=at,
    )
    document = SupportingDocument.objects.create(
        paper=paper.slug,
        household=household,
        child=child,
        guardian=guardian,
        school_year=school_year,
        file=kept[0],
        issued_on=issued_on,
        valid_until=valid_until,
        send_key=send_key,
        handed_at=at,
        handed_by=by,
        handed_by_label=str(by),
        by_agent=by_agent,
        line=line,
        review=review,
    )
    audit.record(
        at=at,
        by=by.actor(as_agent=by_agent),
        action="document.handed_in",
        subject=document,
        household_id=household.pk,
        text=_("Document donné : %(paper)s (%(who)s).")
        % {"paper": guarded_name(paper), "who": subject_words(child=child, guardian=guardian)},
    )
    return document


def label_words(paper: Paper, line: RequestLine | None) -> str:
    """What the line of a review asks: "Certificat médical (absence du mardi 17 novembre)"."""
    name = guarded_name(paper)
    name = name[:1].upper() + name[1:]
    if line is None or line.date is None:
        return name
    return _("%(paper)s (absence du %(day)s)") % {"paper": name, "day": day_words(line.date)}


def replace(documents: "QuerySet[SupportingDocument]", *, by: User, at: datetime) -> None:
    """Set aside those of these documents that still wait or were refused. What an agent has still to answer is taken
    off the queue; an agent who is answering it that very moment comes first, and the new one is replaced by nothing."""
    waiting = list(documents.filter(state=DocumentState.TO_REVIEW).values_list("review", flat=True))
    lines = [line for line in waiting if line is not None]
    lock_requests_of(lines)
    for line in RequestLine.objects.filter(id__in=lines, state=LineState.PENDING).select_related("request"):
        close_lines(line.request, [line], state=LineState.WITHDRAWN, by=str(by), at=at)
    documents.filter(state__in=(DocumentState.TO_REVIEW, DocumentState.REFUSED)).update(
        state=DocumentState.REPLACED, ended_at=at
    )


def lock_papers_of(household: Household) -> None:
    """Whoever hands in or withdraws documents of a home does it one after the other. Taken before any request's lock;
    who answers takes the request's alone."""
    Household.objects.select_for_update(no_key=True).only("id").get(pk=household.pk)


def _check_subject(
    household: Household, paper: Paper, child: Child | None, guardian: Guardian | None, school_year: str
) -> None:
    match paper.about:
        case PaperSubject.CHILD:
            fits = guardian is None and child is not None and household.residences.filter(child_id=child.pk).exists()
        case PaperSubject.GUARDIAN:
            fits = (
                child is None
                and guardian is not None
                and household.guardianships.filter(guardian_id=guardian.pk).exists()
            )
        case PaperSubject.HOUSEHOLD:
            fits = child is None and guardian is None
    if not fits or (paper.rule().each_year and not school_year):
        raise NotAsked(paper.slug)
