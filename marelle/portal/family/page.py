"""The page "Famille": adults, home, children, each fact with what the town knows and what waits to be accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.models import Enrolment
from marelle.families.facts import Subject, fact_of, quotient_value, subject_type
from marelle.families.labels import TOPIC_WORDS, Topic, legal_words
from marelle.families.models import FamilyQuotient, Guardian, Guardianship, Household
from marelle.families.places import gets_words
from marelle.families.queries import holds_on, quotient_on
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words
from marelle.portal.children import HouseholdChild, age_words, children_of
from marelle.requests.corrections import Pending, pending_corrections, pending_of
from marelle.requests.models import Correction
from marelle.rules.lifecycles import EnrolmentState

Waiting = Mapping[tuple[str, int, str], Correction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fact: what the town knows ("" for nothing), and the change that waits."""

    label: str | Promise
    value: str
    note: str = ""
    phone: bool = False
    pending: Pending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdultCard:
    guardian: Guardian
    is_me: bool
    role: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCard:
    one: HouseholdChild
    age: str
    services: Sequence[str]
    rows: Sequence[Row]
    identity_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPage:
    adults: Sequence[AdultCard]
    home: Sequence[Row]
    quotient: Row
    quotient_look: Look | None
    children: Sequence[ChildCard]


def family_page(*, town: Municipality, household: Household, user: User, at: datetime) -> FamilyPage:
    """Everything the page says, in a number of queries that neither adults nor children change."""
    today = at.astimezone(town.tz).date()
    waiting = pending_corrections(household)
    quotient = quotient_on(household, today)
    identity = rules_of(town).corrections.identity
    services = _services(household, today)
    links = Guardianship.objects.filter(household=household).select_related("guardian__user")
    return FamilyPage(
        adults=[_adult(link, user, waiting) for link in links],
        home=[
            row_of(household, "address", waiting, today=today, none=_("Pas indiquée")),
            row_of(household, "insurance", waiting, today=today, none=_("Pas indiquée")),
        ],
        quotient=_quotient_row(household, quotient, waiting),
        quotient_look=validity_look(quotient, today),
        children=[
            ChildCard(
                one=one,
                age=age_words(one.child.birth_date, today),
                services=services.get(one.id, []),
                rows=_pending_rows(one, waiting),
                identity_url=reverse("portal:correct_child", args=[one.id]) if identity else "",
            )
            for one in children_of(household)
        ],
    )


def row_of(subject: Subject, field: str, waiting: Waiting, *, today: date, none: str = "", phone: bool = False) -> Row:
    fact = fact_of(subject_type(subject), field)
    return Row(
        label=fact.label,
        value=fact.words(fact.read(subject, today=today)) or none,
        phone=phone,
        pending=pending_of(waiting, subject).get(field),
    )


def validity_look(quotient: FamilyQuotient | None, today: date) -> Look | None:
    """Whether the quotient shown still holds."""
    if quotient is None:
        return None
    if holds_on(quotient, today):
        return Look(_("Valable"), "circle-check", "ok")
    return Look(_("À renouveler"), "clock-alert", "wait")


def quotient_until(quotient: FamilyQuotient) -> str:
    """ "CAF, jusqu’au dimanche 31 janvier 2027"."""
    source = quotient.get_source_display()
    if quotient.last_day is None:
        first = day_words(quotient.first_day, year=True)
        return _("%(source)s, depuis le %(day)s") % {"source": source, "day": first}
    return _("%(source)s, jusqu’au %(day)s") % {"source": source, "day": day_words(quotient.last_day, year=True)}


def _quotient_row(household: Household, quotient: FamilyQuotient | None, waiting: Waiting) -> Row:
    fact = fact_of("household", "quotient")
    assert quotient is None or quotient_value(quotient)
    return Row(
        label=fact.label,
        value=str(quotient.value) if quotient is not None else "",
        note=quotient_until(quotient) if quotient is not None else "",
        pending=pending_of(waiting, household).get("quotient"),
    )


def _adult(link: Guardianship, user: User, waiting: Waiting) -> AdultCard:
    guardian = link.guardian
    is_me = guardian.user_id == user.pk
    pending = pending_of(waiting, guardian)
    rows = [
        Row(
            label=_("E-mail de connexion") if is_me else _("E-mail"),
            value=(user.email if is_me else guardian.email) or _("Pas indiqué"),
        ),
        Row(label=_("Téléphone"), value=guardian.phone or _("Pas indiqué"), phone=bool(guardian.phone)),
    ]
    if guardian.other_phone:
        rows.append(Row(label=_("Autre téléphone"), value=guardian.other_phone, phone=True))
    own = fact_of("guardian", "address")
    address = own.words(own.read(guardian, today=date.min))
    if address or "address" in pending:
        rows.append(Row(label=own.label, value=address or _("Celle du foyer"), pending=pending.get("address")))
    rows += [
        Row(label=one.fact.label, value=one.fact.words(one.fact.read(guardian, today=date.min)), pending=one)
        for name, one in pending.items()
        if name != "address"
    ]
    told = fact_of("guardianship", "link")
    rows += [
        Row(label=told.label, value=link.link or _("Pas indiqué"), pending=pending_of(waiting, link).get("link")),
        Row(
            label=_("Autorité parentale"),
            value=_("Pas encore précisée") if link.is_legal is None else _("Oui") if link.is_legal else _("Non"),
        ),
        Row(label=_("Reçoit"), value=gets_words(link)),
    ]
    if is_me:
        rows.append(Row(label=_("E-mails reçus"), value=_mails_words(link)))
    return AdultCard(guardian=guardian, is_me=is_me, role=_role(link), rows=rows)


def _mails_words(link: Guardianship) -> str:
    unwanted = [str(TOPIC_WORDS[topic]) for topic in Topic if topic in link.guardian.unwanted]
    if not unwanted:
        return _("Tous")
    return _("Tous, sauf : %(topics)s") % {"topics": ", ".join(unwanted).lower()}


def _role(link: Guardianship) -> str:
    said = [link.link] if link.link else []
    if link.is_legal is not None:
        said.append(legal_words(link.is_legal))
    return ", ".join(said)


def _pending_rows(one: HouseholdChild, waiting: Waiting) -> list[Row]:
    return [
        Row(
            label=pending.fact.label,
            value=pending.fact.words(pending.fact.read(one.child, today=date.min)) or _("Rien"),
            pending=pending,
        )
        for pending in pending_of(waiting, one.child).values()
    ]


def _services(household: Household, today: date) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for child_id, name in (
        Enrolment.objects.filter(household=household, state=EnrolmentState.ACCEPTED, school_year__last_day__gte=today)
        .order_by("activity__service__position", "activity__service_id")
        .values_list("child_id", "activity__service__name")
    ):
        if name not in found.setdefault(child_id, []):
            found[child_id].append(name)
    return found
