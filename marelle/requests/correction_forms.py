"""The forms by which a family, or an agent for it, corrects what the town knows.

What a form was filled with comes back with it (`shown`): only what was changed on it is asked for, whatever happened in
between.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marelle.families.facts import Fact, Subject, Value, fact_of, subject_type
from marelle.families.labels import TOPIC_WORDS, Topic
from marelle.families.models import FamilyQuotient
from marelle.requests.corrections import Change, Pending

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

DAYS = ["%d %m %Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d%m%Y", "%Y-%m-%d"]
NO_SUCH_DAY = _("La date doit exister, par exemple 12 03 2019.")


def text_field(
    label: "Words", *, most: int, autocomplete: str = "off", required: "Words" = "", hint: "Words" = ""
) -> forms.CharField:
    """`required`: what is said when it is left empty; "" when it may be."""
    return forms.CharField(
        label=label,
        max_length=most,
        required=bool(required),
        help_text=hint,
        error_messages={"required": required},
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
    )


def phone_field(label: "Words", *, autocomplete: str = "off") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": autocomplete}),
    )


def day_field(label: "Words", *, hint: "Words", required: "Words" = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=bool(required),
        help_text=hint,
        input_formats=DAYS,
        error_messages={"required": required, "invalid": NO_SUCH_DAY},
        widget=forms.DateInput(format="%d %m %Y", attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class CorrectionForm(forms.Form):
    """The fields are called by the columns of the facts (`families.facts`) named in `names`."""

    names: ClassVar[tuple[str, ...]]
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *,
        subject: Subject,
        waiting: Mapping[str, Pending],
        today: date,
        data: QueryDict | None = None,
    ) -> None:
        self.subject, self.today = subject, today
        values = {
            fact.name: waiting[fact.name].after if fact.name in waiting else fact.read(subject, today=today)
            for fact in self._facts_of(subject)
        }
        initial: dict[str, Any] = {"shown": json.dumps(values)}
        for fact in self._facts_of(subject):
            initial |= columns(fact, values[fact.name])
        super().__init__(data, initial=initial)

    @classmethod
    def _facts_of(cls, subject: Subject) -> list[Fact]:
        return [fact_of(subject_type(subject), name) for name in cls.names]

    def changes(self) -> list[Change]:
        """What was changed on the form; of a valid form only."""
        shown = self._shown()
        found = []
        for fact in self._facts_of(self.subject):
            after = self.value_of(fact)
            if fact.name not in shown or shown[fact.name] != after:
                found.append(Change(subject=self.subject, field=fact.name, after=after))
        return found

    def value_of(self, fact: Fact) -> Value:
        values = {column: _json(self.cleaned_data[column]) for column in fact.columns}
        return values if len(fact.columns) > 1 else values[fact.columns[0]]

    def _shown(self) -> dict[str, Value]:
        try:
            found = json.loads(self.cleaned_data["shown"])
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def columns(fact: Fact, value: Value) -> dict[str, Any]:
    """A fact's value by column, as a form is filled with it."""
    if value is None:
        return {}
    said = value if len(fact.columns) > 1 else {fact.columns[0]: value}
    return {column: _day_or(column, one) for column, one in said.items()}


def _day_or(column: str, value: Any) -> Any:
    is_day = column.endswith(("_day", "_date"))
    return date.fromisoformat(value) if is_day and isinstance(value, str) and value else value


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


class AddressFields(forms.Form):
    address = text_field(
        _("Numéro et rue"), most=200, autocomplete="street-address", required=_("Indiquez le numéro et la rue.")
    )
    postcode = text_field(_("Code postal"), most=10, autocomplete="postal-code", required=_("Indiquez le code postal."))
    city = text_field(_("Commune"), most=80, autocomplete="address-level2", required=_("Indiquez la commune."))


class AddressForm(CorrectionForm, AddressFields):
    names = ("address",)


class InsuranceForm(CorrectionForm):
    names = ("insurance",)
    insurer = text_field(
        _("Assureur"), most=80, hint=_("Par exemple le nom de votre mutuelle ou de votre assurance scolaire.")
    )
    insurance_number = text_field(_("Numéro de contrat"), most=40)


class HouseholdForm(CorrectionForm, AddressFields):
    """Address and insurance together, for an agent."""

    names = ("address", "insurance")
    insurer = text_field(_("Assureur"), most=80)
    insurance_number = text_field(_("Numéro de contrat"), most=40)


class AdultForm(CorrectionForm):
    names = ("first_name", "last_name", "phone", "other_phone", "address")
    first_name = text_field(_("Prénom"), most=80, autocomplete="given-name", required=_("Indiquez votre prénom."))
    last_name = text_field(_("Nom"), most=80, autocomplete="family-name", required=_("Indiquez votre nom."))
    phone = phone_field(_("Téléphone"), autocomplete="tel")
    other_phone = phone_field(_("Autre téléphone"))
    address = text_field(_("Votre adresse, si ce n’est pas celle du foyer"), most=200, autocomplete="street-address")
    postcode = text_field(_("Code postal"), most=10, autocomplete="postal-code")
    city = text_field(_("Commune"), most=80, autocomplete="address-level2")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("phone", "other_phone"):
            if data.get(name) and sum(sign.isdigit() for sign in data[name]) < 9:
                self.add_error(name, _("Indiquez un numéro de téléphone, par exemple 06 12 34 56 78."))
        if data.get("address") and not data.get("city"):
            self.add_error("city", _("Indiquez la commune."))
        if (data.get("city") or data.get("postcode")) and not data.get("address"):
            self.add_error("address", _("Indiquez le numéro et la rue."))
        return data


def link_field(*, hint: "Words" = "") -> forms.CharField:
    return text_field(_("Lien avec les enfants"), most=40, hint=hint or _("Par exemple mère, père, tutrice."))


class LinkForm(CorrectionForm):
    """What an adult says of their own place."""

    names = ("link",)
    link = link_field()


class LegalField(forms.TypedChoiceField):
    """Whether an adult has parental authority: yes, no, or not said (None)."""

    def __init__(self, **kwargs: Any) -> None:
        answers = {"oui": True, "non": False}
        super().__init__(
            label=_("Exerce l’autorité parentale (responsable légal)"),
            choices=[("", _("Non précisé")), ("oui", _("Oui")), ("non", _("Non"))],
            coerce=answers.__getitem__,
            empty_value=None,
            required=False,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return {True: "oui", False: "non"}.get(value, value) if isinstance(value, bool) else value


class PlaceForm(CorrectionForm):
    """An adult's place in the household, for an agent."""

    names = ("link", "is_legal", "gets_mail", "gets_invoices", "gets_reminders")
    link = link_field()
    is_legal = LegalField()
    gets_mail = forms.BooleanField(
        label=_("Reçoit les informations"),
        required=False,
        help_text=_("Toujours envoyées à qui exerce l’autorité parentale, ou peut l’exercer."),
    )
    gets_invoices = forms.BooleanField(label=_("Reçoit les factures"), required=False)
    gets_reminders = forms.BooleanField(
        label=_("Reçoit les rappels"),
        required=False,
        help_text=_("L’adulte peut aussi refuser les rappels depuis son compte."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("is_legal") is not False and not data.get("gets_mail"):
            words = (
                _("Cochez cette case : qui exerce l’autorité parentale reçoit les informations sur ses enfants.")
                if data.get("is_legal")
                else _("Précisez d’abord si cet adulte exerce l’autorité parentale, ou cochez cette case.")
            )
            self.add_error("gets_mail", words)
        return data


class QuotientForm(CorrectionForm):
    names = ("quotient",)
    value = forms.IntegerField(
        label=_("Quotient familial"),
        min_value=0,
        max_value=99_999,
        help_text=_("Le nombre écrit sur votre attestation, sans les centimes."),
        error_messages={
            "required": _("Indiquez votre quotient familial."),
            "invalid": _("Le quotient est un nombre entier, par exemple 620."),
            "min_value": _("Le quotient ne peut pas être négatif."),
            "max_value": _("Vérifiez ce nombre : il est trop grand pour un quotient."),
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    source = forms.ChoiceField(
        label=_("Qui le calcule ?"),
        choices=[
            (source.value, source.label) for source in FamilyQuotient.Source if source != FamilyQuotient.Source.TOWN
        ],
        error_messages={"required": _("Indiquez qui calcule votre quotient.")},
    )
    first_day = day_field(_("À compter du"), hint=_("Par exemple 01 11 2026."), required=_("Indiquez depuis quand."))
    last_day = day_field(_("Jusqu’au"), hint=_("Si l’attestation le dit."))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("La fin vient après le début."))
        if first and abs((first - self.today).days) > 3 * 366:
            self.add_error("first_day", _("Vérifiez l’année."))
        return data


class ChildForm(CorrectionForm):
    names = ("first_name", "last_name", "birth_date")
    first_name = text_field(_("Prénom"), most=80, required=_("Indiquez le prénom de l’enfant."))
    last_name = text_field(_("Nom"), most=80, required=_("Indiquez le nom de l’enfant."))
    birth_date = day_field(
        _("Date de naissance"), hint=_("Par exemple 12 03 2019."), required=_("Indiquez la date de naissance.")
    )

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if born >= self.today:
            raise forms.ValidationError(_("La date de naissance doit être dans le passé."))
        if born.year < self.today.year - 30:
            raise forms.ValidationError(_("Vérifiez l’année de naissance."))
        return born


class MailsForm(forms.Form):
    wanted = forms.MultipleChoiceField(
        label=_("Je veux recevoir"),
        required=False,
        choices=[(topic.value, TOPIC_WORDS[topic]) for topic in Topic],
        widget=forms.CheckboxSelectMultiple,
    )

    def unwanted(self) -> set[Topic]:
        return {topic for topic in Topic if topic.value not in self.cleaned_data["wanted"]}
