"""A family's corrections, as agents read them: what the file said, what it says now, what the family asks."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from marelle.families.facts import Fact, Subject, Value, YesNoOrUnsaid, fact_of
from marelle.families.models import Guardianship, Household
from marelle.foundation.sentences import list_words
from marelle.office.kinds.kind import Kind, Seen
from marelle.requests.corrections import SUBJECTS, answer_corrections
from marelle.requests.models import Correction, RequestLine
from marelle.rules.lifecycles import LineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One fact: `before` when it was asked, `now`, `after` as asked. `moved`: somebody changed it in between."""

    line: RequestLine
    whose: str
    label: str | Promise
    before: str
    now: str
    after: str
    moved: bool
    seen: str

    @property
    def is_pending(self) -> bool:
        return self.line.state == LineState.PENDING


def pane(seen: Seen) -> dict[str, Any]:
    """One query for the corrections, and one for each sort of subject, and the adult of each place."""
    today = seen.at.astimezone(seen.town.tz).date()
    shown = {line.pk: line for line in seen.lines}
    corrections = list(Correction.objects.filter(line__in=shown).order_by("line__position"))
    subjects: dict[tuple[str, int], Subject] = {}
    for kind, model in SUBJECTS.items():
        if ids := {one.subject_id for one in corrections if one.subject_type == kind}:
            subjects |= {(kind, pk): subject for pk, subject in model.objects.in_bulk(ids).items()}
    rows = []
    for one in corrections:
        fact = fact_of(one.subject_type, one.field)
        subject = subjects.get((one.subject_type, one.subject_id))
        now = fact.read(subject, today=today) if subject is not None else None
        rows.append(
            Asked(
                line=shown[one.line_id],
                whose=_whose(subject),
                label=fact.label,
                before=_said(fact, one.before),
                now=_said(fact, now),
                after=_said(fact, one.after),
                moved=subject is not None and now not in (one.before, one.after),
                seen=json.dumps(now),
            )
        )
    moved = [row for row in rows if row.moved and row.is_pending]
    return {
        "rows": rows,
        "by_line": {row.line.pk: row for row in rows},
        "moved": list_words(str(row.label).lower() for row in moved),
    }


def details(data: QueryDict, line: RequestLine) -> dict[str, Any]:
    """The value that the agent's page showed: accepting over another one is refused."""
    try:
        return {"now": json.loads(str(data[f"vu-{line.pk}"]))}
    except (KeyError, ValueError):
        return {}


def _whose(subject: Subject | None) -> str:
    if subject is None or isinstance(subject, Household):
        return ""
    return str(subject.guardian if isinstance(subject, Guardianship) else subject)


def _said(fact: Fact, value: Value) -> str:
    said = value or value is False or isinstance(fact, YesNoOrUnsaid)
    return (fact.words(value) if said else "") or _("Rien")


KIND = Kind(
    answer=answer_corrections,
    template="office/kinds/_data.html",
    pane=pane,
    line_template="office/kinds/_data_line.html",
    details=details,
    may_accept_several=False,
)
