"""The e-mails about documents: what is queued, and how the worker fills their templates. A document that tells of
health is never named in them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from marelle.activities.models import Municipality
from marelle.documents.labels import guarded_name, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import find_paper
from marelle.families.labels import Topic
from marelle.families.models import Household
from marelle.families.queries import addressees
from marelle.foundation import outbox
from marelle.foundation.models import OutboxMail
from marelle.foundation.sentences import day_words
from marelle.rules.papers import DocumentState


def reminded(
    *, household: Household, documents: Sequence[SupportingDocument], town: Municipality, at: datetime
) -> None:
    """Tell every adult of the home which documents end soon, and which were refused and not given again."""
    lines = []
    for document in documents:
        paper = find_paper(town, document.paper)
        lines.append(
            {
                "what": guarded_name(paper) if paper is not None else document.paper,
                "who": subject_words(child=document.child, guardian=document.guardian),
                "refused": document.state == DocumentState.REFUSED,
                "until": document.valid_until.isoformat() if document.valid_until is not None else "",
            }
        )
    _post("documents/reminded", household=household, context={"lines": lines}, at=at, topic=Topic.REMINDERS)


def asked(*, household: Household, what: Sequence[tuple[str, str]], at: datetime) -> None:
    """Ask a home for papers that an agent misses: `what` names each and whom it is about."""
    lines = [{"what": name, "who": who} for name, who in what]
    _post("documents/asked", household=household, context={"lines": lines}, at=at)


def _post(
    kind: str, *, household: Household, context: dict[str, Any], at: datetime, topic: Topic | None = None
) -> None:
    outbox.post_each(
        kind=kind,
        letters=[
            outbox.Letter(
                to_address=guardian.email,
                to_name=str(guardian),
                household_id=household.pk,
                context=context | {"first_name": guardian.first_name},
            )
            for guardian in addressees(household, topic)
        ],
        at=at,
    )


def _reminded(mail: OutboxMail) -> dict[str, Any]:
    lines = [
        line | {"until": day_words(date.fromisoformat(line["until"]), year=True) if line["until"] else ""}
        for line in mail.context["lines"]
    ]
    return {
        "ending": [line for line in lines if not line["refused"]],
        "refused": [line for line in lines if line["refused"]],
        "documents_path": reverse("portal:documents"),
    }


def _asked(mail: OutboxMail) -> dict[str, Any]:
    return {"documents_path": reverse("portal:documents")}


builders = {"reminded": _reminded, "asked": _asked}
