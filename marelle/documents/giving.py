"""The part of a form by which somebody hands in documents, wherever it stands: the page of documents, a step of an
enrolment, the agents' counter.

A page that wants it:

1. makes its `Item`s (`item_of`, for each paper and subject that it asks for);
2. shows them inside its own `<form method="post" enctype="multipart/form-data">`, with
   `{% include "documents/parts/_items.html" with items=giving.items %}`, and loads `documents/upload.js` and
   `documents/documents.css`. With the script, each file leaves as soon as it is chosen, when the form has
   `data-upload` and each item's `<li>` its `id`; without it, the form's own button sends them all;
3. on a post, calls `give(request.POST, request.FILES, items=…, …)`: what is good is kept, at once and for good,
   whatever is wrong with the rest. `Giving.problems` goes to the error summary (422), `Giving.given` is what was kept.

A form sent twice keeps nothing twice: the key of a document is made of its item, its content and the form's `send_key`.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.documents.labels import STANDING_LOOKS, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.services import hand_in
from marelle.families.models import Child, Guardian, Household
from marelle.foundation.components.kids import Kid
from marelle.foundation.files.pages import FaultyPages, judge_pages
from marelle.foundation.files.verdicts import Faulty, Judged
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words
from marelle.requests.models import RequestLine
from marelle.rules.papers import NOTHING, PaperState, Standing
from marelle.townfile.town import Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A paper to hand in, for one subject. `issued_on`, `valid_until`: the dates as typed; `error` what is wrong with
    it, `error_at` with which of its fields; `refused_name` the file that was not taken."""

    paper: Paper
    school_year: str = ""
    child: Child | None = None
    guardian: Guardian | None = None
    line: RequestLine | None = None
    standing: Standing = NOTHING
    kid: Kid | None = None
    services: tuple[str, ...] = ()
    issued_on: str = ""
    valid_until: str = ""
    error: str = ""
    error_at: str = "f"
    refused_name: str = ""

    @property
    def key(self) -> str:
        """What its fields are called by: "assurance.c12.2026-2027.0"."""
        who = f"c{self.child.pk}" if self.child else f"g{self.guardian.pk}" if self.guardian else "h"
        return f"{self.paper.slug}.{who}.{self.school_year or '-'}.{self.line.pk if self.line else 0}"

    @property
    def id(self) -> str:
        """The same, for an element's id."""
        return self.key.replace(".", "_")

    @property
    def name(self) -> str:
        """ "Assurance scolaire 2026-2027"."""
        return f"{self.paper.name} {self.school_year}" if self.school_year else self.paper.name

    @property
    def who(self) -> str:
        if self.line is not None and self.line.date is not None:
            return _("%(name)s, absence du %(day)s") % {
                "name": subject_words(child=self.child, guardian=self.guardian),
                "day": day_words(self.line.date),
            }
        return subject_words(child=self.child, guardian=self.guardian)

    @property
    def asks_its_date(self) -> bool:
        return self.paper.rule().asks_its_date

    @property
    def asks_its_end(self) -> bool:
        return self.paper.own_end

    @property
    def age_words(self) -> str:
        """ "moins de 3 mois", "" when its age is of no interest."""
        months = self.paper.max_age_months
        if months is None:
            return ""
        return ngettext("moins de %(n)d mois", "moins de %(n)d mois", months) % {"n": months}

    @property
    def again(self) -> bool:
        """Whether it comes after another one."""
        return self.standing.key is not None

    @property
    def look(self) -> Look:
        return STANDING_LOOKS[self.standing.state]

    @property
    def is_refused(self) -> bool:
        return self.standing.state is PaperState.REFUSED

    @property
    def seen_url(self) -> str:
        """Where the document that it comes after is seen; its file may be gone by then."""
        return reverse("documents:file", args=[self.standing.key]) if self.standing.key is not None else ""

    @property
    def until_words(self) -> str:
        """ "valable jusqu’au lundi 30 novembre"."""
        if self.standing.valid_until is None or not self.standing.holds:
            return ""
        return _("valable jusqu’au %(day)s") % {"day": day_words(self.standing.valid_until, year=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What came for an item and may be kept; `facts` are the rest of `hand_in`'s arguments."""

    item: Item
    judged: Judged
    name: str
    facts: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Giving:
    """What came of a form: the documents kept, and the items as they are to be shown again. `ready`: what is good and
    not kept yet."""

    items: list[Item]
    ready: list[Ready] = field(default_factory=list)
    given: list[tuple[Item, SupportingDocument]] = field(default_factory=list)
    sent: bool = False

    @property
    def problems(self) -> list[dict[str, str]]:
        """For the error summary."""
        return [
            {"text": f"{item.name}, {item.who} : {_lower(item.error)}", "href": f"#{item.error_at}-{item.id}"}
            for item in self.items
            if item.error
        ]

    @property
    def given_words(self) -> str:
        names = [f"{item.name} ({item.who})" for item, _document in self.given]
        return ngettext("Bien reçu : %(what)s.", "Bien reçus : %(what)s.", len(names)) % {"what": ", ".join(names)}


def give(
    data: QueryDict,
    files: "MultiValueDict[str, UploadedFile]",
    *,
    items: Sequence[Item],
    household: Household,
    by: User,
    at: datetime,
    today: date,
    by_agent: bool = False,
) -> Giving:
    """Hand in what the form brings for these items; several pictures for one item are the pages of one document. An
    item without a file is left alone, unless its dates were typed or none of the form has a file."""
    giving = judged_of(data, files, items=items, household=household, today=today)
    keep_all(giving, household=household, by=by, at=at, by_agent=by_agent)
    return giving


def judged_of(
    data: QueryDict,
    files: "MultiValueDict[str, UploadedFile]",
    *,
    items: Sequence[Item],
    household: Household,
    today: date,
) -> Giving:
    """Judge what the form brings, and keep nothing yet: looking into files takes its time, and no transaction waits
    for it."""
    giving = Giving(items=[_typed(data, item) for item in items])
    salt = data.get("send_key", "")[:64]
    for n, item in enumerate(giving.items):
        brought = [one for one in files.getlist(f"f-{item.key}") if one.name]
        if not brought:
            continue
        file = brought[0]
        giving.sent = True
        checked, dates = _dates(item, today=today)
        if checked.error:
            giving.items[n] = replace(checked, refused_name=file.name or "")
            continue
        judged = judge_pages(brought)
        if isinstance(judged, FaultyPages):
            giving.items[n] = replace(item, error=str(judged), refused_name="")
            continue
        if isinstance(judged, Faulty):
            giving.items[n] = replace(item, error=str(judged), refused_name=(file.name or "")[:80])
            continue
        digest = hashlib.sha256(judged.content).hexdigest()
        dates["send_key"] = uuid.uuid5(uuid.NAMESPACE_OID, f"{household.pk} {salt} {item.key} {digest}")
        giving.ready.append(Ready(item=item, judged=judged, name=file.name or "", facts=dates))
    return giving


def keep_all(giving: Giving, *, household: Household, by: User, at: datetime, by_agent: bool = False) -> None:
    """Hand in what is ready, each in a transaction of its own, or all in the caller's."""
    for ready in giving.ready:
        item = ready.item
        document = hand_in(
            household=household,
            paper=item.paper,
            judged=ready.judged,
            name=ready.name,
            by=by,
            at=at,
            child=item.child,
            guardian=item.guardian,
            school_year=item.school_year,
            line=item.line,
            by_agent=by_agent,
            **ready.facts,
        )
        giving.given.append((item, document))
    giving.ready = []


def _typed(data: QueryDict, item: Item) -> Item:
    return replace(item, issued_on=data.get(f"d-{item.key}", "")[:10], valid_until=data.get(f"u-{item.key}", "")[:10])


def _dates(item: Item, *, today: date) -> tuple[Item, dict[str, Any]]:
    """The dates that the paper asks for, or what is wrong with them."""
    found: dict[str, Any] = {}
    if item.asks_its_date:
        day = _day(item.issued_on)
        if day is None:
            return replace(item, error=_("Indiquez la date écrite sur le document."), error_at="d"), {}
        if day > today:
            return replace(item, error=_("Cette date n’est pas encore passée."), error_at="d"), {}
        if item.paper.rule().is_too_old(issued_on=day, on=today):
            words = _("Ce document est trop ancien. Il doit dater de %(age)s.") % {"age": item.age_words}
            return replace(item, error=words, error_at="d"), {}
        found["issued_on"] = day
    if item.asks_its_end:
        day = _day(item.valid_until)
        if day is None:
            return replace(item, error=_("Indiquez jusqu’à quand le document est valable."), error_at="u"), {}
        if day < today:
            return replace(item, error=_("Ce document n’est plus valable."), error_at="u"), {}
        found["valid_until"] = day
    return item, found


def _day(said: str) -> date | None:
    try:
        return parse_date(said)
    except ValueError:
        return None


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
