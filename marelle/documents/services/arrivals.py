"""The dossier of a family that came by itself: its proof of address, one request, an agent's answer."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.documents.services.handing_in import hand_in, lock_papers_of
from marelle.documents.services.reviews import settle as settle_documents
from marelle.families.joining.newcomers import accept_household
from marelle.families.models import Household
from marelle.foundation.audit import Actor, record
from marelle.foundation.files.verdicts import Judged
from marelle.requests import notifications
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import NewLine, Verdict, open_request
from marelle.rules.lifecycles import RequestState
from marelle.townfile.town import Paper, PaperSubject


class NotAwaited(Exception):
    """The household is accepted already, or its dossier waits for an agent: there is nothing to send."""


def proof_of_address(town: Municipality) -> Paper | None:
    """The paper that a new family gives: the town's first one about the household whose date counts. None: the town
    asks for none."""
    papers = (
        paper
        for paper in rules_of(town).papers
        if paper.about is PaperSubject.HOUSEHOLD and paper.max_age_months is not None and not paper.rule().each_year
    )
    return next((paper for paper in papers if paper.valid_months is None and not paper.own_end), None)


def dossier_of(household: Household) -> FamilyRequest | None:
    """The last request by which this household asked to be accepted."""
    return FamilyRequest.objects.filter(household=household, kind=RequestKind.ACCOUNT).order_by("-id").first()


@transaction.atomic
def send_dossier(
    *,
    household: Household,
    town: Municipality,
    by: User,
    at: datetime,
    send_key: uuid.UUID,
    judged: Judged | None = None,
    file_name: str = "",
    issued_on: date | None = None,
) -> FamilyRequest:
    """Ask an agent to accept the household, with its proof of address where the town wants one. The same `send_key` is
    the same request. Raises NotAwaited."""
    lock_papers_of(household)
    key = uuid.uuid5(send_key, f"account:{household.pk}")
    done = FamilyRequest.objects.filter(send_key=key).first()
    if done is not None:
        return done
    household.refresh_from_db(fields=["awaits_since"])
    last = dossier_of(household)
    if household.awaits_since is None or (last is not None and last.state == RequestState.SENT):
        raise NotAwaited
    children = household.residences.count()
    label = ngettext("Famille %(name)s, %(n)d enfant", "Famille %(name)s, %(n)d enfants", children) % {
        "name": household.name,
        "n": children,
    }
    request, lines = open_request(
        household=household,
        kind=RequestKind.ACCOUNT,
        send_key=key,
        lines=[NewLine(act=Act.JOIN, label=label)],
        by=by,
        at=at,
        tz=town.tz,
    )
    record(
        at=at,
        by=by.actor(),
        action="request.sent",
        subject=request,
        household_id=household.pk,
        text=_("Demande n° %(number)s envoyée : ouvrir un espace.") % {"number": request.number},
    )
    notifications.sent(request=request, lines=lines, at=at)
    paper = proof_of_address(town)
    if paper is not None and judged is not None:
        hand_in(
            household=household,
            paper=paper,
            judged=judged,
            name=file_name,
            by=by,
            at=at,
            issued_on=issued_on,
            line=lines[0],
        )
    return request


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
    """Carry out the answer to a new family (`settings.SETTLERS`): its proof goes with it. Refused, it stays as it is,
    and may send another proof."""
    settle_documents(
        request=request,
        accepted=accepted,
        refused=refused,
        withdrawn=withdrawn,
        verdicts=verdicts,
        by=by,
        at=at,
    )
    if accepted:
        accept_household(household=request.household, by=by, at=at)
