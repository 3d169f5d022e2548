"""The facts that a family may ask to have corrected: how each is read, written and said.

A value is JSON: a text, a day as "2019-03-12", or a mapping of columns when a fact has several (an address). Nothing of
health is a fact here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.activities.queries import municipality, rules_of
from marelle.families.models import Child, FamilyQuotient, Guardian, Guardianship, Household
from marelle.families.queries import quotient_on
from marelle.families.services import record_quotient, refresh_search
from marelle.foundation.audit import Actor
from marelle.foundation.sentences import day_words

Subject = Household | Guardian | Guardianship | Child
Value = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`at_once`: it counts as soon as the family says it, no agent is asked (docs/decisions/0015-corrections.md).
    `discreet`: its value does not stand in the history. `by_agents`: families read it, and do not ask to change it."""

    subject: type[Subject]
    name: str
    label: Promise
    columns: tuple[str, ...]
    at_once: bool = False
    discreet: bool = False
    by_agents: bool = False

    def read(self, subject: Subject, *, today: date) -> Value:
        values = {column: _plain(getattr(subject, column)) for column in self.columns}
        return values if len(self.columns) > 1 else values[self.columns[0]]

    def write(self, subject: Subject, value: Value, *, by: Actor, at: datetime) -> None:
        """Write it on the subject, in the caller's transaction."""
        values = self.parsed(value)
        for column, one in values.items():
            setattr(subject, column, one)
        subject.save(update_fields=list(values))

    def parsed(self, value: Value) -> dict[str, Any]:
        """By column, the value as the database takes it. Raises ValueError for what it would not."""
        values = value if len(self.columns) > 1 else {self.columns[0]: value}
        if not isinstance(values, Mapping) or set(values) != set(self.columns):
            raise ValueError(f"{self.name}: {sorted(self.columns)}")
        try:
            return {column: self._field(column).clean(values[column], None) for column in self.columns}
        except ValidationError as fault:
            raise ValueError(f"{self.name}: {fault.messages}") from fault

    def words(self, value: Value) -> str:
        """The value as it is read; "" for none."""
        return str(value or "")

    def _field(self, column: str) -> "models.Field[Any, Any]":
        found = self.subject._meta.get_field(column)
        assert isinstance(found, models.Field)
        return found


class Day(Fact):
    def words(self, value: Value) -> str:
        return day_words(date.fromisoformat(value), year=True) if value else ""


class Name(Fact):
    """A name of somebody: families are found by it."""

    def write(self, subject: Subject, value: Value, *, by: Actor, at: datetime) -> None:
        super().write(subject, value, by=by, at=at)
        assert isinstance(subject, Guardian | Child)
        for household in subject.households.all():
            refresh_search(household)
        if isinstance(subject, Guardian) and subject.user is not None:
            subject.user.name = str(subject)
            subject.user.save(update_fields=["name"])


class Place(Fact):
    """An address: "12 rue Neuve, 31480 Cadours"."""

    def words(self, value: Value) -> str:
        town = " ".join(part for part in (value["postcode"], value["city"]) if part)
        return ", ".join(part for part in (value["address"], town) if part)


class YesOrNo(Fact):
    def words(self, value: Value) -> str:
        return _("oui") if value else _("non")


class YesNoOrUnsaid(YesOrNo):
    def words(self, value: Value) -> str:
        return _("non précisée") if value is None else super().words(value)


class Insurance(Fact):
    def words(self, value: Value) -> str:
        if value["insurer"] and value["insurance_number"]:
            return _("%(insurer)s, contrat %(number)s") % {
                "insurer": value["insurer"],
                "number": value["insurance_number"],
            }
        return str(value["insurer"] or value["insurance_number"])


class Diet(Fact):
    """One of the town's diets, by its slug."""

    def words(self, value: Value) -> str:
        diets = rules_of(municipality()).diets
        return next((diet.name for diet in diets if diet.slug == value), str(value or ""))


class Quotient(Fact):
    """The one that holds today, or the last to have held. Writing one adds it: the past keeps its own."""

    def read(self, subject: Subject, *, today: date) -> Value:
        assert isinstance(subject, Household)
        return quotient_value(quotient_on(subject, today))

    def parsed(self, value: Value) -> dict[str, Any]:
        if not isinstance(value, Mapping) or set(value) != set(self.columns):
            raise ValueError(self.name)
        return {
            "value": int(value["value"]),
            "source": FamilyQuotient.Source(value["source"]).value,
            "first_day": date.fromisoformat(value["first_day"]),
            "last_day": date.fromisoformat(value["last_day"]) if value["last_day"] else None,
        }

    def write(self, subject: Subject, value: Value, *, by: Actor, at: datetime) -> None:
        assert isinstance(subject, Household)
        record_quotient(household=subject, by=by, at=at, **self.parsed(value))

    def words(self, value: Value) -> str:
        if not value:
            return ""
        facts = {
            "value": value["value"],
            "source": FamilyQuotient.Source(value["source"]).label,
            "first": day_words(date.fromisoformat(value["first_day"]), year=True),
        }
        if not value["last_day"]:
            return _("%(value)s (%(source)s), à compter du %(first)s") % facts
        facts["last"] = day_words(date.fromisoformat(value["last_day"]), year=True)
        return _("%(value)s (%(source)s), du %(first)s au %(last)s") % facts


ADDRESS = ("address", "postcode", "city")

FACTS: tuple[Fact, ...] = (
    Place(subject=Household, name="address", label=gettext_lazy("Adresse"), columns=ADDRESS),
    Insurance(
        subject=Household, name="insurance", label=gettext_lazy("Assurance"), columns=("insurer", "insurance_number")
    ),
    Quotient(
        subject=Household,
        name="quotient",
        label=gettext_lazy("Quotient familial"),
        columns=("value", "source", "first_day", "last_day"),
        discreet=True,
    ),
    Name(subject=Guardian, name="first_name", label=gettext_lazy("Prénom"), columns=("first_name",)),
    Name(subject=Guardian, name="last_name", label=gettext_lazy("Nom"), columns=("last_name",)),
    Fact(subject=Guardian, name="phone", label=gettext_lazy("Téléphone"), columns=("phone",), at_once=True),
    Fact(
        subject=Guardian,
        name="other_phone",
        label=gettext_lazy("Autre téléphone"),
        columns=("other_phone",),
        at_once=True,
    ),
    Place(subject=Guardian, name="address", label=gettext_lazy("Adresse personnelle"), columns=ADDRESS),
    Fact(subject=Guardianship, name="link", label=gettext_lazy("Lien avec les enfants"), columns=("link",)),
    YesNoOrUnsaid(
        subject=Guardianship,
        name="is_legal",
        label=gettext_lazy("Responsabilité légale"),
        columns=("is_legal",),
        by_agents=True,
    ),
    YesOrNo(
        subject=Guardianship,
        name="gets_mail",
        label=gettext_lazy("Envoi des informations"),
        columns=("gets_mail",),
        by_agents=True,
    ),
    YesOrNo(
        subject=Guardianship,
        name="gets_invoices",
        label=gettext_lazy("Envoi des factures"),
        columns=("gets_invoices",),
        by_agents=True,
    ),
    YesOrNo(
        subject=Guardianship,
        name="gets_reminders",
        label=gettext_lazy("Envoi des rappels"),
        columns=("gets_reminders",),
        by_agents=True,
    ),
    Name(subject=Child, name="first_name", label=gettext_lazy("Prénom"), columns=("first_name",)),
    Name(subject=Child, name="last_name", label=gettext_lazy("Nom"), columns=("last_name",)),
    Day(subject=Child, name="birth_date", label=gettext_lazy("Date de naissance"), columns=("birth_date",)),
    Diet(subject=Child, name="diet", label=gettext_lazy("Régime"), columns=("diet",), discreet=True),
)
_BY_KEY = {(fact.subject._meta.model_name, fact.name): fact for fact in FACTS}


def fact_of(subject_type: str, name: str) -> Fact:
    """The fact of that name of a "household", "guardian", "guardianship" or "child". Raises KeyError."""
    return _BY_KEY[subject_type, name]


def subject_type(subject: Subject) -> str:
    name = subject._meta.model_name
    assert name is not None
    return name


def quotient_value(quotient: FamilyQuotient | None) -> Value:
    if quotient is None:
        return None
    return {
        "value": quotient.value,
        "source": quotient.source,
        "first_day": quotient.first_day.isoformat(),
        "last_day": quotient.last_day.isoformat() if quotient.last_day else None,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
