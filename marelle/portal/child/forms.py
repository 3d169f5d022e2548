"""What a home may say of its child, as forms. Whatever is wrong is said in words, and what was typed stays typed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.families.circle.authorised import Said
from marelle.families.circle.permission_answers import Permitted
from marelle.families.health.content import HealthContent, Vaccination
from marelle.families.models import AuthorisedPerson, EmergencyContact
from marelle.foundation.files.judging import judge
from marelle.foundation.files.verdicts import Faulty, FileKind, Judged
from marelle.portal.children import HouseholdChild
from marelle.townfile.town import Diet

LINES = {"rows": 3}
YES, NO = "yes", "no"


class PhoneField(forms.CharField):
    """A telephone number as people write it, with enough digits to be called."""

    def __init__(self, **kwargs: Any) -> None:
        example = gettext_lazy("Indiquez un numéro de téléphone, par exemple 06 12 34 56 78.")
        super().__init__(
            max_length=30,
            widget=forms.TextInput(attrs={"type": "tel"}),
            error_messages={"required": example, "invalid": example},
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        phone = str(super().clean(value))
        if phone and not (sum(sign.isdigit() for sign in phone) >= 9 and set(phone) <= set("0123456789 .+()-/")):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return phone


class DayField(forms.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d %m %Y", "%d-%m-%Y", "%d.%m.%Y"],
            error_messages={
                "required": gettext_lazy("Indiquez la date."),
                "invalid": gettext_lazy("La date doit exister, par exemple 31/08/2027."),
            },
            **kwargs,
        )


def choice(label: Any, yes: Any, no: Any, required: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=[(NO, no), (YES, yes)],
        widget=forms.RadioSelect,
        error_messages={"required": required, "invalid_choice": required},
    )


def words(label: Any, hint: Any = "", most: int = 1500) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=most,
        required=False,
        widget=forms.Textarea(attrs=LINES),
        error_messages={"max_length": gettext_lazy("Ce texte est trop long : %(limit_value)d caractères au plus.")},
    )


def short(label: Any, hint: Any = "", most: int = 120) -> forms.CharField:
    return forms.CharField(label=label, help_text=hint, max_length=most, required=False)


#: Each section: its choice, and the text that a yes needs, with what is said when it lacks.
SECTIONS = {
    "has_allergies": ("allergies", gettext_lazy("Dites à quoi votre enfant est allergique.")),
    "has_treatments": ("treatments", gettext_lazy("Dites quel traitement votre enfant suit.")),
    "has_recommendations": ("recommendations", gettext_lazy("Dites ce que les équipes doivent savoir.")),
    "has_plan": ("plan", gettext_lazy("Dites pour quoi le PAI est établi.")),
}


class HealthForm(forms.Form):
    """The health file. Every section asks for a choice: nothing to report is said, never left to be guessed."""

    has_allergies = choice(
        gettext_lazy("Allergies"),
        gettext_lazy("Oui, à signaler"),
        gettext_lazy("Rien à signaler"),
        gettext_lazy("Choisissez une réponse."),
    )
    allergies = words(
        gettext_lazy("Allergies et réactions"),
        gettext_lazy("Aliments, médicaments, piqûres, pollens : ce qui se passe."),
    )
    has_plan = choice(
        gettext_lazy("Projet d’accueil individualisé (PAI)"),
        gettext_lazy("Oui, mon enfant a un PAI"),
        gettext_lazy("Pas de PAI"),
        gettext_lazy("Choisissez une réponse."),
    )
    plan = short(gettext_lazy("Pour quoi"), gettext_lazy("Par exemple : asthme, allergie alimentaire, diabète."))
    protocol = words(gettext_lazy("Que faire"), gettext_lazy("La consigne du PAI, telle que l’équipe doit la suivre."))
    kit = short(gettext_lazy("Où est la trousse"), gettext_lazy("Par exemple : infirmerie de l’école."))
    plan_until = DayField(label=gettext_lazy("Valable jusqu’au"), required=False)
    has_treatments = choice(
        gettext_lazy("Traitements"),
        gettext_lazy("Oui, à signaler"),
        gettext_lazy("Rien à signaler"),
        gettext_lazy("Choisissez une réponse."),
    )
    treatments = words(
        gettext_lazy("Traitement en cours"), gettext_lazy("L’équipe ne donne un médicament qu’avec une ordonnance.")
    )
    has_recommendations = choice(
        gettext_lazy("Recommandations"),
        gettext_lazy("Oui, à signaler"),
        gettext_lazy("Rien à signaler"),
        gettext_lazy("Choisissez une réponse."),
    )
    recommendations = words(
        gettext_lazy("Ce que les équipes doivent savoir"),
        gettext_lazy("Lunettes, appareil, difficultés, précautions pendant le sport ou la baignade."),
    )
    doctor_name = short(gettext_lazy("Médecin traitant"))
    doctor_phone = PhoneField(label=gettext_lazy("Téléphone du médecin"), required=False)
    vaccination = forms.ChoiceField(
        label=gettext_lazy("Vaccins obligatoires"),
        choices=[
            (Vaccination.YES, gettext_lazy("À jour")),
            (Vaccination.NO, gettext_lazy("Pas à jour")),
            (Vaccination.UNKNOWN, gettext_lazy("Je ne sais pas")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choisissez une réponse.")},
    )
    vaccinated_on = DayField(label=gettext_lazy("Dernière vérification du carnet"), required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.use_required_attribute = False
        # What a yes asks for is needed with it, and only then.
        for choice_name, (text, why) in SECTIONS.items():
            field = self.fields[text]
            field.required = not self.is_bound or self.data.get(choice_name) == YES
            field.with_a_yes = True  # type: ignore[attr-defined]  # its label never says "(facultatif)"
            field.error_messages["required"] = why
        self.fields["plan_until"].required = self.fields["plan"].required
        self.fields["plan_until"].error_messages["required"] = gettext_lazy(
            "Indiquez jusqu’à quand le PAI est valable."
        )

    @classmethod
    def filled(cls, content: HealthContent, *, has_plan: bool, plan_until: date | None, today: date) -> "HealthForm":
        """What the file says, to be changed."""
        said: dict[str, Any] = {
            name: getattr(content, name)
            for name in ("allergies", "treatments", "recommendations", "plan", "protocol", "kit", "doctor_name")
        }
        said |= {
            "doctor_phone": content.doctor_phone,
            "vaccination": content.vaccination,
            "vaccinated_on": content.vaccinated_on,
            "plan_until": plan_until,
        }
        for choice_name, (text, _why) in SECTIONS.items():
            said[choice_name] = YES if (has_plan if text == "plan" else said[text]) else NO
        return cls(initial=said, today=today)

    def clean(self) -> dict[str, Any]:
        """What was typed before a no was chosen counts no more."""
        data = super().clean() or {}
        for choice_name, (text, _why) in SECTIONS.items():
            if data.get(choice_name) == NO:
                data[text] = ""
        if data.get("has_plan") == NO:
            data |= {"protocol": "", "kit": "", "plan_until": None}
        if (day := data.get("vaccinated_on")) and day > self.today:
            self.add_error("vaccinated_on", _("La vérification du carnet est passée, pas à venir."))
        return data

    def content(self) -> HealthContent:
        said = self.cleaned_data
        return HealthContent(
            allergies=said["allergies"],
            treatments=said["treatments"],
            recommendations=said["recommendations"],
            plan=said["plan"],
            protocol=said["protocol"],
            kit=said["kit"],
            doctor_name=said["doctor_name"],
            doctor_phone=said["doctor_phone"],
            vaccination=Vaccination(said["vaccination"]),
            vaccinated_on=said["vaccinated_on"],
        )

    @property
    def has_pai(self) -> bool:
        return bool(self.cleaned_data["has_plan"] == YES)


class SomebodyForm(forms.Form):
    """Somebody around the children of a home."""

    name = forms.CharField(
        label=gettext_lazy("Prénom et nom"),
        max_length=120,
        error_messages={"required": gettext_lazy("Indiquez le prénom et le nom.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    link = forms.CharField(
        label=gettext_lazy("Lien avec l’enfant"),
        max_length=60,
        help_text=gettext_lazy("Par exemple : grand-mère, voisin, assistante maternelle."),
        error_messages={"required": gettext_lazy("Indiquez le lien avec l’enfant.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = PhoneField(label=gettext_lazy("Téléphone"))
    children = forms.MultipleChoiceField(
        label=gettext_lazy("Pour quels enfants"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Cochez au moins un enfant."),
            "invalid_choice": gettext_lazy("Cochez des enfants de votre foyer."),
        },
    )

    def __init__(self, *args: Any, kids: Sequence[HouseholdChild], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kids = {str(one.id): one for one in kids}
        field = self.fields["children"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(key, one.name) for key, one in self.kids.items()]

    def chosen(self) -> list[Any]:
        return [self.kids[key].child for key in self.cleaned_data["children"]]


class ContactForm(SomebodyForm):
    other_phone = PhoneField(label=gettext_lazy("Autre téléphone"), required=False)
    field_order = ("name", "link", "phone", "other_phone", "children")

    @staticmethod
    def of(contact: EmergencyContact) -> dict[str, Any]:
        """What the form shows of a contact."""
        return {
            "name": contact.name,
            "link": contact.link,
            "phone": contact.phone,
            "other_phone": contact.other_phone,
            "children": [str(child.pk) for child in contact.children.all()],
        }


class PersonForm(SomebodyForm):
    """Somebody who may fetch: always, or from a day to another."""

    when = forms.ChoiceField(
        label=gettext_lazy("Quand"),
        choices=[("always", gettext_lazy("Tous les jours")), ("some", gettext_lazy("Certains jours seulement"))],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Dites quand cette personne peut venir.")},
    )
    first_day = DayField(label=gettext_lazy("Du"), required=False)
    last_day = DayField(label=gettext_lazy("Au"), required=False)
    photo = forms.FileField(
        label=gettext_lazy("Photo"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy("Elle aide les animateurs à reconnaître la personne. Demandez-lui son accord."),
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    drop_photo = forms.BooleanField(label=gettext_lazy("Enlever la photo"), required=False)
    judged: Judged | None = None

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.use_required_attribute = False
        for name, why in (
            ("first_day", gettext_lazy("Indiquez le premier jour.")),
            ("last_day", gettext_lazy("Indiquez le dernier jour : le même pour une seule fois.")),
        ):
            field = self.fields[name]
            field.required = not self.is_bound or self.data.get("when") == "some"
            field.error_messages["required"] = why

    @staticmethod
    def of(person: AuthorisedPerson) -> dict[str, Any]:
        """What the form shows of somebody."""
        return {
            "name": person.name,
            "link": person.link,
            "phone": person.phone,
            "children": [str(child.pk) for child in person.children.all()],
            "when": "some" if person.first_day or person.last_day else "always",
            "first_day": person.first_day,
            "last_day": person.last_day,
        }

    def clean_photo(self) -> None:
        """A picture only, judged by what it holds; kept in `judged`."""
        upload = self.cleaned_data["photo"]
        if not upload:
            return
        verdict = judge(upload)
        if isinstance(verdict, Faulty):
            raise forms.ValidationError(str(verdict))
        if verdict.kind is not FileKind.PICTURE:
            raise forms.ValidationError(_("Envoyez une photo (JPG, PNG, HEIC), pas un PDF."))
        self.judged = verdict

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("when") == "always":
            data |= {"first_day": None, "last_day": None}
        elif data.get("when") == "some":
            first, last = data.get("first_day"), data.get("last_day")
            if first and last and last < first:
                self.add_error("last_day", _("Le dernier jour vient après le premier."))
            elif last and last < self.today:
                self.add_error("last_day", _("Ce jour est passé."))
        return data

    def said(self) -> Said:
        data = self.cleaned_data
        return Said(
            name=data["name"],
            link=data["link"],
            phone=data["phone"],
            children=self.chosen(),
            first_day=data["first_day"],
            last_day=data["last_day"],
            photo=self.judged,
            keep_photo=not data["drop_photo"],
        )


class DietForm(forms.Form):
    diet = forms.ChoiceField(
        label=gettext_lazy("Régime"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choisissez un régime."),
            "invalid_choice": gettext_lazy("Choisissez un régime."),
        },
    )

    def __init__(self, *args: Any, diets: Sequence[Diet], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["diet"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(diet.slug, diet.name) for diet in diets]


class PermissionsForm(forms.Form):
    """A yes or a no for each permission asked of a child. `before`: last year's answers, shown until they are given
    anew."""

    def __init__(self, *args: Any, asked: Sequence[Permitted], before: dict[str, bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in asked:
            said = before.get(one.permission.slug)
            self.fields[one.permission.slug] = forms.ChoiceField(
                label=one.permission.name,
                help_text=one.permission.help,
                choices=[(YES, _("Oui")), (NO, _("Non"))],
                initial=None if said is None else YES if said else NO,
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("%(name)s : répondez par oui ou par non.") % {"name": one.permission.name}
                },
            )

    def answers(self) -> dict[str, bool]:
        return {slug: value == YES for slug, value in self.cleaned_data.items()}
