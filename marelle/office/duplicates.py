"""Two families side by side, before they are made one: what differs, who may be whom, what moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.bookings.models import LIVE_BOOKINGS, Booking, Enrolment
from marelle.documents.models import SupportingDocument
from marelle.families.doubles.duplicates import Sign, alike
from marelle.families.doubles.merging import Merge
from marelle.families.facts import fact_of
from marelle.families.models import AuthorisedPerson, Child, EmergencyContact, FamilyQuotient, Guardian, Household
from marelle.families.spelling import plain
from marelle.requests.models import FamilyRequest

SIGN_WORDS: Mapping[Sign, Promise] = {
    Sign.CHILD: gettext_lazy("Même enfant"),
    Sign.PHONE: gettext_lazy("Même téléphone"),
    Sign.ADULT: gettext_lazy("Adulte au même nom, même adresse"),
}
KEPT, GONE = "garde", "autre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A fact that differs: which of both values stays. `columns` are those that it writes."""

    name: str
    label: str | Promise
    columns: Sequence[str]
    kept: str
    gone: str
    chosen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """Somebody of the family that goes, and who they may be in the one that stays (`chosen`: an id, 0 for nobody)."""

    name: str
    label: str
    facts: str
    options: Sequence[tuple[int, str]]
    chosen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    word: str | Promise
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    kept: Household
    gone: Household
    choices: Sequence[Choice]
    children: Sequence[Twin]
    adults: Sequence[Twin]
    moving: Sequence[Moving]

    def merge(self) -> Merge:
        return Merge(
            kept=self.kept,
            gone=self.gone,
            children={int(twin.name.partition("-")[2]): twin.chosen for twin in self.children if twin.chosen},
            guardians={int(twin.name.partition("-")[2]): twin.chosen for twin in self.adults if twin.chosen},
        )

    def chosen(self) -> dict[str, Any]:
        """The values of the family that goes that the agent prefers, by column."""
        return {
            column: getattr(self.gone, column)
            for choice in self.choices
            if choice.chosen == GONE
            for column in choice.columns
        }


def side_by_side(kept: Household, gone: Household, data: QueryDict | None = None) -> SideBySide:
    """`data` is what the form said; without it, whoever has the same names is taken for the same person. Twelve queries
    at most, whatever the families."""
    kept_children = list(kept.children.order_by("birth_date", "id"))
    kept_adults = [link.guardian for link in kept.guardianships.select_related("guardian__user")]
    gone_adults = [link.guardian for link in gone.guardianships.select_related("guardian__user")]
    return SideBySide(
        kept=kept,
        gone=gone,
        choices=[choice for choice in _choices(kept, gone, data) if choice.kept != choice.gone],
        children=[
            Twin(
                name=f"enfant-{child.pk}",
                label=str(child),
                facts=_("naissance le %(day)s") % {"day": f"{child.birth_date:%d/%m/%Y}"},
                options=[(one.pk, f"{one}, {one.birth_date:%d/%m/%Y}") for one in kept_children],
                chosen=_said(
                    data, f"enfant-{child.pk}", {one.pk for one in kept_children}, _same(child, kept_children)
                ),
            )
            for child in gone.children.order_by("birth_date", "id")
            if child not in kept_children
        ],
        adults=[
            Twin(
                name=f"adulte-{adult.pk}",
                label=str(adult),
                facts=_adult_words(adult),
                options=[(one.pk, f"{one}, {_adult_words(one)}") for one in kept_adults],
                chosen=_said(data, f"adulte-{adult.pk}", {one.pk for one in kept_adults}, _alike(adult, kept_adults)),
            )
            for adult in gone_adults
            if adult not in kept_adults
        ],
        moving=[
            Moving(word=word, count=count)
            for word, count in (
                (gettext_lazy("Demandes"), FamilyRequest.objects.filter(household=gone).count()),
                (gettext_lazy("Inscriptions"), Enrolment.objects.filter(household=gone).count()),
                (
                    gettext_lazy("Jours réservés ou demandés"),
                    Booking.objects.filter(household=gone, state__in=LIVE_BOOKINGS).count(),
                ),
                (gettext_lazy("Pièces"), SupportingDocument.objects.filter(household=gone).count()),
                (gettext_lazy("Quotients"), FamilyQuotient.objects.filter(household=gone).count()),
                (gettext_lazy("Contacts d’urgence"), EmergencyContact.objects.filter(household=gone).count()),
                (gettext_lazy("Personnes autorisées"), AuthorisedPerson.objects.filter(household=gone).count()),
            )
            if count
        ],
    )


def _choices(kept: Household, gone: Household, data: QueryDict | None) -> list[Choice]:
    def choice(name: str, label: str | Promise, columns: Sequence[str], left: str, right: str) -> Choice:
        said = data.get(f"c-{name}", "") if data is not None else ""
        default = KEPT if left or not right else GONE
        return Choice(
            name=f"c-{name}",
            label=label,
            columns=columns,
            kept=left,
            gone=right,
            chosen=said if said in (KEPT, GONE) else default,
        )

    found = [choice("name", _("Nom de la famille"), ("name",), kept.name, gone.name)]
    for name in ("address", "insurance"):
        fact = fact_of("household", name)
        values = [{column: getattr(home, column) for column in fact.columns} for home in (kept, gone)]
        found.append(choice(name, fact.label, fact.columns, fact.words(values[0]), fact.words(values[1])))
    words = [_("Habite la commune") if home.is_resident else _("Hors commune") for home in (kept, gone)]
    found.append(choice("resident", _("Commune"), ("is_resident",), *words))
    return found


def _said(data: QueryDict | None, name: str, possible: set[int], default: int) -> int:
    if data is None or name not in data:
        return default
    said = data[name]
    number = int(said) if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 13 else 0
    return number if number in possible else 0


def _same(child: Child, among: Sequence[Child]) -> int:
    found = (one.pk for one in among if one.birth_date == child.birth_date and plain(str(one)) == plain(str(child)))
    return next(found, 0)


def _alike(adult: Guardian, among: Sequence[Guardian]) -> int:
    """Whoever has alike names, unless both have an account: each keeps theirs."""
    found = (one.pk for one in among if alike(str(one), str(adult)) and not (one.user_id and adult.user_id))
    return next(found, 0)


def _adult_words(adult: Guardian) -> str:
    account = _("compte ouvert") if adult.user is not None and adult.user.is_active else _("sans compte ouvert")
    return ", ".join(part for part in (adult.phone, adult.email, account) if part)
