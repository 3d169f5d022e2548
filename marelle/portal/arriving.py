"""The forms of a family that comes by itself, and where its dossier stands."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marelle.accounts.forms import DoorForm, NewPasswordForm
from marelle.activities.models import Site
from marelle.families.doubles.duplicates import digits
from marelle.families.services import Address, NewChild, NewGuardian
from marelle.foundation.files.pages import FaultyPages
from marelle.foundation.files.verdicts import Faulty, Judged
from marelle.townfile.town import Paper

MOST_CHILDREN = 8
OLDEST = 18  # years


def _words(label: Any, wanted: Any, *, most: int, autocomplete: str = "", required: bool = True) -> forms.CharField:
    attrs = {"autocomplete": autocomplete} if autocomplete else {}
    return forms.CharField(
        label=label,
        max_length=most,
        required=required,
        error_messages={"required": wanted},
        widget=forms.TextInput(attrs=attrs),
    )


class AdultForm(DoorForm):
    first_name = _words(_("Mon prénom"), _("Indiquez votre prénom."), most=80, autocomplete="given-name")
    last_name = _words(_("Mon nom"), _("Indiquez votre nom."), most=80, autocomplete="family-name")
    phone = forms.CharField(
        label=_("Mon téléphone"),
        max_length=30,
        error_messages={"required": _("Indiquez un numéro de téléphone, par exemple 06 12 34 56 78.")},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
    )
    street = _words(_("Numéro et rue"), _("Indiquez votre adresse."), most=200, autocomplete="street-address")
    postcode = _words(_("Code postal"), _("Indiquez le code postal."), most=10, autocomplete="postal-code")
    city = _words(_("Commune"), _("Indiquez la commune."), most=80, autocomplete="address-level2")

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if len(digits(phone)) < 9:
            raise ValidationError(_("Indiquez un numéro de téléphone, par exemple 06 12 34 56 78."))
        return phone

    def guardian(self, email: str) -> NewGuardian:
        said = self.cleaned_data
        return NewGuardian(first_name=said["first_name"], last_name=said["last_name"], email=email, phone=said["phone"])

    def address(self) -> Address:
        said = self.cleaned_data
        return Address(street=said["street"], postcode=said["postcode"], city=said["city"])


class ChildForm(DoorForm):
    first_name = _words(_("Prénom"), _("Indiquez le prénom de l’enfant."), most=80)
    last_name = _words(_("Nom"), _("Indiquez le nom de l’enfant."), most=80)
    birth_date = forms.DateField(
        label=_("Date de naissance"),
        error_messages={
            "required": _("Indiquez la date de naissance."),
            "invalid": _("La date doit exister, par exemple 12 03 2019."),
        },
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    school = forms.ChoiceField(label=_("École"), required=False)
    level = forms.ChoiceField(label=_("Niveau"), required=False)

    def __init__(self, *args: Any, schools: Sequence[Site], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schools = {site.slug: site for site in schools}
        self.today = today
        levels = list(dict.fromkeys(level for site in schools for level in site.levels))
        self.fields["school"].choices = [  # type: ignore[attr-defined]
            ("", _("Pas encore à l’école")),
            *((site.slug, site.name) for site in schools),
        ]
        self.fields["level"].choices = [("", _("Je ne sais pas")), *((one, one) for one in levels)]  # type: ignore[attr-defined]

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if born >= self.today:
            raise ValidationError(_("La date de naissance doit être dans le passé."))
        if self.today.year - born.year > OLDEST:
            raise ValidationError(_("Vérifiez l’année de naissance."))
        return born

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        site = self.schools.get(data.get("school", ""))
        if site is not None and data.get("level") and data["level"] not in site.levels:
            self.add_error("level", _("Cette école n’a pas ce niveau."))
        return data

    def child(self) -> NewChild:
        said = self.cleaned_data
        return NewChild(
            first_name=said["first_name"],
            last_name=said["last_name"],
            birth_date=said["birth_date"],
            school=self.schools.get(said["school"]),
            level=said["level"],
        )


class Arrival:
    """The whole form: the adult, their password, one child or several. `more`: a row was asked for, nothing is judged
    yet."""

    def __init__(self, data: QueryDict | None, *, schools: Sequence[Site], today: date) -> None:
        self.more = data is not None and "more" in data
        judged = None if self.more else data
        rows = _number(data.get("children", "")) if data is not None else 1
        self.rows = min(rows + 1, MOST_CHILDREN) if self.more else rows
        self.adult = AdultForm(judged, initial=_kept(data) if self.more else None)
        self.password = NewPasswordForm(judged)
        self.children = [
            ChildForm(
                judged,
                prefix=f"c{n}",
                schools=schools,
                today=today,
                initial=_kept(data, f"c{n}-") if self.more else None,
                # An untouched row after the first says nothing.
                empty_permitted=n > 0,
                use_required_attribute=False,
            )
            for n in range(self.rows)
        ]

    @property
    def has_room(self) -> bool:
        return self.rows < MOST_CHILDREN

    def is_valid(self) -> bool:
        said = [form.is_valid() for form in (self.adult, *self.children, self.password)]
        return all(said)

    @property
    def problems(self) -> list[dict[str, str]]:
        """In the order of the page."""
        if self.more:
            return []
        return [one for form in (self.adult, *self.children, self.password) for one in form.problems]

    @property
    def new_children(self) -> list[NewChild]:
        return [form.child() for n, form in enumerate(self.children) if n == 0 or form.has_changed()]


def _number(said: str) -> int:
    return min(max(int(said), 1), MOST_CHILDREN) if said.isascii() and said.isdigit() else 1


def _kept(data: QueryDict | None, prefix: str = "") -> dict[str, Any]:
    if data is None:
        return {}
    return {name.removeprefix(prefix): str(data[name]) for name in data if name.startswith(prefix)}


class PagesInput(forms.FileInput):
    """One file, or the pictures of several pages: the field's value is one of them, `ProofForm` reads them all."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.get(name)


class ProofForm(DoorForm):
    """The proof of address: its date, and a PDF, a picture or several. When it is valid, `judged` is what may be
    kept."""

    issued_on = forms.DateField(
        label=_("Date écrite sur le justificatif"),
        error_messages={
            "required": _("Indiquez la date écrite sur le justificatif."),
            "invalid": _("La date doit exister, par exemple 12 03 2019."),
        },
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    file = forms.FileField(
        label=_("Photo ou PDF"),
        error_messages={
            "required": _("Choisissez un fichier, ou prenez une photo."),
            "empty": _("Ce fichier est vide. Choisissez-en un autre."),
        },
        widget=PagesInput(attrs={"accept": "image/*,.heic,.heif,application/pdf"}),
    )
    judged: Judged

    def __init__(self, *args: Any, paper: Paper, today: date, judge: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.paper, self.today, self.judge = paper, today, judge

    def clean_issued_on(self) -> date:
        day: date = self.cleaned_data["issued_on"]
        if day > self.today:
            raise ValidationError(_("Cette date n’est pas encore passée."))
        if self.paper.rule().is_too_old(issued_on=day, on=self.today):
            raise ValidationError(_("Ce justificatif est trop ancien : donnez-en un plus récent."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("file") and "issued_on" in data:
            judged = self.judge(self.files.getlist("file"))
            if isinstance(judged, Faulty | FaultyPages):
                self.add_error("file", str(judged))
            else:
                self.judged = judged
        return data
