"""The form of a new family: a home, one or two adults, children. Rows are added and removed by the server, so that it
works without JavaScript; whatever was typed stays typed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marelle.activities.models import Site
from marelle.families.models import Child
from marelle.families.queries import known_child, who_has_address
from marelle.families.services import Address, NewChild, NewGuardian
from marelle.foundation.sentences import day_words
from marelle.requests.correction_forms import LegalField

MOST_GUARDIANS = 2
MOST_CHILDREN = 12


class HomeForm(forms.Form):
    name = forms.CharField(
        label=_("Nom de la famille"),
        max_length=120,
        help_text=_("Tel qu’on l’appelle, par exemple Benali ou Benali-Moreau."),
        error_messages={"required": _("Indiquez le nom de la famille.")},
    )
    address = forms.CharField(label=_("Adresse"), max_length=200, required=False)
    postcode = forms.CharField(label=_("Code postal"), max_length=10, required=False)
    city = forms.CharField(label=_("Commune"), max_length=80, required=False)
    is_resident = forms.BooleanField(label=_("Habite la commune"), required=False, initial=True)
    invite = forms.BooleanField(
        label=_("Inviter par e-mail dès l’enregistrement"),
        help_text=_("Chaque responsable reçoit un lien pour choisir son mot de passe."),
        required=False,
        initial=True,
    )


class GuardianForm(forms.Form):
    first_name = forms.CharField(
        label=_("Prénom"), max_length=80, error_messages={"required": _("Indiquez le prénom du responsable.")}
    )
    last_name = forms.CharField(
        label=_("Nom"), max_length=80, error_messages={"required": _("Indiquez le nom du responsable.")}
    )
    email = forms.EmailField(
        label=_("Adresse e-mail"),
        required=False,
        max_length=254,
        help_text=_("C’est son identifiant. Chacun a la sienne."),
        error_messages={"invalid": _("L’adresse e-mail doit contenir un @, par exemple nom@exemple.fr.")},
        widget=forms.EmailInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
    phone = forms.CharField(
        label=_("Téléphone"), required=False, max_length=30, widget=forms.TextInput(attrs={"type": "tel"})
    )
    is_legal = LegalField()

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.lower()

    def guardian(self) -> NewGuardian:
        return NewGuardian(**self.cleaned_data)


class ChildForm(forms.Form):
    first_name = forms.CharField(
        label=_("Prénom"), max_length=80, error_messages={"required": _("Indiquez le prénom de l’enfant.")}
    )
    last_name = forms.CharField(
        label=_("Nom"), max_length=80, error_messages={"required": _("Indiquez le nom de l’enfant.")}
    )
    birth_date = forms.DateField(
        label=_("Date de naissance"),
        help_text=_("Par exemple 12 03 2019."),
        input_formats=["%d %m %Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d%m%Y", "%Y-%m-%d"],
        error_messages={
            "required": _("Indiquez la date de naissance."),
            "invalid": _("La date doit exister, par exemple 12 03 2019."),
        },
        widget=forms.DateInput(format="%d %m %Y", attrs={"inputmode": "numeric"}),
    )
    school = forms.ModelChoiceField(
        label=_("École"), queryset=Site.objects.none(), required=False, empty_label=_("Aucune, ou ailleurs")
    )
    level = forms.ChoiceField(label=_("Niveau"), required=False)
    class_name = forms.CharField(label=_("Classe"), max_length=60, required=False)
    same_child = forms.BooleanField(label=_("C’est le même enfant : il a deux foyers"), required=False)
    found: Child | None = None

    def __init__(self, *args: Any, schools: Sequence[Site], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        school_field, level_field = self.fields["school"], self.fields["level"]
        assert isinstance(school_field, forms.ModelChoiceField) and isinstance(level_field, forms.ChoiceField)
        school_field.queryset = schools_offered()
        school_field.choices = [("", school_field.empty_label), *((school.pk, school.name) for school in schools)]
        levels = list(dict.fromkeys(level for school in schools for level in school.levels))
        level_field.choices = [("", "—"), *((level, level) for level in levels)]

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if born >= self.today:
            raise forms.ValidationError(_("La date de naissance doit être dans le passé."))
        if born.year < self.today.year - 30:
            raise forms.ValidationError(_("Vérifiez l’année de naissance."))
        return born

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        school, level = data.get("school"), data.get("level")
        if school and level and school.levels and level not in school.levels:
            self.add_error(
                "level", _("Il n’y a pas de %(level)s à %(school)s.") % {"level": level, "school": school.name}
            )
        if data.get("first_name") and data.get("last_name") and data.get("birth_date"):
            self.found = known_child(
                first_name=data["first_name"], last_name=data["last_name"], birth_date=data["birth_date"]
            )
            if self.found and not data.get("same_child"):
                homes = ", ".join(home.name for home in self.found.households.all())
                self.add_error(
                    "first_name",
                    _("%(name)s, naissance le %(day)s, est déjà dans la famille %(homes)s.")
                    % {"name": self.found, "day": day_words(self.found.birth_date, year=True), "homes": homes},
                )
        return data

    def child(self) -> NewChild | Child:
        if self.found and self.cleaned_data["same_child"]:
            return self.found
        facts = {name: value for name, value in self.cleaned_data.items() if name != "same_child"}
        return NewChild(**facts)


def schools_offered() -> "QuerySet[Site]":
    return Site.objects.filter(kind=Site.Kind.SCHOOL, archived_at=None)


@dataclass(slots=True)
class HouseholdForm:
    """The three forms together. `guardians` and `children` hold one form per row shown."""

    home: HomeForm
    guardians: list[GuardianForm]
    children: list[ChildForm]
    bound: bool
    problems: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def blank(cls, *, today: date) -> "HouseholdForm":
        return cls.drawn(QueryDict(), guardians=[0], children=[0], today=today, typed=False)

    @classmethod
    def changed(cls, data: QueryDict, *, do: str, today: date) -> "HouseholdForm":
        """The form as typed, a row more or less: `do` is add-guardian, add-child, remove-guardian-1, remove-child-2…"""
        guardians = list(range(rows(data, "guardians", MOST_GUARDIANS)))
        children = list(range(rows(data, "children", MOST_CHILDREN)))
        act, _sep, what = do.partition("-")
        kind, _sep, number = what.partition("-")
        kept = {"guardian": guardians, "child": children}.get(kind, [])
        most = MOST_GUARDIANS if kind == "guardian" else MOST_CHILDREN
        if act == "add" and len(kept) < most:
            kept.append(len(kept))
        elif act == "remove" and len(kept) > 1 and number in map(str, kept):
            kept.remove(int(number))
        return cls.drawn(data, guardians=guardians, children=children, today=today, typed=True)

    @classmethod
    def drawn(
        cls, data: QueryDict, *, guardians: list[int], children: list[int], today: date, typed: bool
    ) -> "HouseholdForm":
        """Unbound forms that show what was typed in the rows kept, in their order, without any reproach."""
        schools = list(schools_offered())

        def initial(form: type[forms.Form], prefix: str = "") -> dict[str, Any] | None:
            if not typed:
                return None
            names = form.base_fields
            return {name: data.get(f"{prefix}{name}", "") for name in names}

        return cls(
            home=HomeForm(initial=initial(HomeForm)),
            guardians=[
                GuardianForm(
                    prefix=f"guardian-{place}",
                    initial=initial(GuardianForm, f"guardian-{row}-"),
                    use_required_attribute=False,
                )
                for place, row in enumerate(guardians)
            ],
            children=[
                ChildForm(
                    prefix=f"child-{place}",
                    initial=initial(ChildForm, f"child-{row}-"),
                    schools=schools,
                    today=today,
                    use_required_attribute=False,
                )
                for place, row in enumerate(children)
            ],
            bound=False,
        )

    @classmethod
    def sent(cls, data: QueryDict, *, today: date) -> "HouseholdForm":
        schools = list(schools_offered())
        return cls(
            home=HomeForm(data),
            guardians=[
                GuardianForm(data, prefix=f"guardian-{row}", empty_permitted=row > 0, use_required_attribute=False)
                for row in range(rows(data, "guardians", MOST_GUARDIANS))
            ],
            children=[
                ChildForm(
                    data,
                    prefix=f"child-{row}",
                    empty_permitted=row > 0,
                    use_required_attribute=False,
                    schools=schools,
                    today=today,
                )
                for row in range(rows(data, "children", MOST_CHILDREN))
            ],
            bound=True,
        )

    def is_valid(self) -> bool:
        """True, or `problems` says all that is wrong. Empty rows do not count after the first."""
        faults = [form for form in (self.home, *self.guardians, *self.children) if not form.is_valid()]
        emails = [form.cleaned_data.get("email", "") for form in self.guardians if hasattr(form, "cleaned_data")]
        holders = who_has_address(emails)
        seen: set[str] = set()
        for form in self.guardians:
            email = getattr(form, "cleaned_data", {}).get("email", "")
            if email in holders:
                sentence = str(_("Cette adresse est déjà utilisée par %(name)s.") % {"name": holders[email]})
            elif email and email in seen:
                sentence = str(_("Chaque responsable a sa propre adresse. Laissez vide s’il n’en a pas."))
            else:
                seen.add(email)
                continue
            form.add_error("email", sentence)
            faults.append(form)
        self.problems = [
            {"text": str(error), "href": f"#{bound.id_for_label}"}
            for form in (self.home, *self.guardians, *self.children)
            for bound in form
            for error in bound.errors
        ]
        return not faults

    def address(self) -> Address:
        data = self.home.cleaned_data
        return Address(street=data["address"], postcode=data["postcode"], city=data["city"])

    def new_guardians(self) -> list[NewGuardian]:
        return [form.guardian() for form in self.guardians if form.cleaned_data]

    def new_children(self) -> list[NewChild | Child]:
        return [form.child() for form in self.children if form.cleaned_data]


def rows(data: QueryDict, name: str, most: int) -> int:
    try:
        return max(1, min(int(data.get(name, "1")), most))
    except ValueError:
        return 1
