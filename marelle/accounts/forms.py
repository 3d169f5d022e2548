from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marelle.accounts.codes import Typed
from marelle.accounts.models import Theme, User

REMEMBER = _("Garder ma connexion 30 jours sur cet appareil")


class DoorForm(forms.Form):
    """A form of one field or so, whose faults need no field's name to be understood."""

    @property
    def problems(self) -> list[dict[str, str]]:
        """What is wrong, as the error summary shows it: {text, href}."""
        said = [{"text": str(error), "href": ""} for error in self.non_field_errors()]
        for bound in self:
            said += [{"text": str(error), "href": f"#{bound.id_for_label}"} for error in bound.errors]
        return said


class AddressForm(DoorForm):
    """The door's one field."""

    email = forms.EmailField(
        label=_("Adresse e-mail"),
        max_length=254,
        error_messages={
            "required": _("Indiquez votre adresse e-mail."),
            "invalid": _("L’adresse e-mail doit contenir un @, par exemple nom@exemple.fr."),
        },
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "username",
                "inputmode": "email",
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.lower()


class PasswordForm(DoorForm):
    """The password of the address given before. When it is valid, `user` is who comes in."""

    password = forms.CharField(
        label=_("Mot de passe"),
        strip=False,
        max_length=500,
        error_messages={"required": _("Indiquez votre mot de passe.")},
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "current-password"}),
    )
    remember = forms.BooleanField(label=REMEMBER, required=False)
    user: User

    def __init__(self, *args: Any, request: HttpRequest, email: str, phone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.email, self.phone = request, email, phone

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password" not in data:
            return data
        try:
            user = get_adapter().authenticate(self.request, email=self.email, password=data["password"])
        except ValidationError as error:
            if error.code != "too_many_login_attempts":
                raise
            raise ValidationError(too_many(self.phone), code="too_many") from error
        if user is None:
            self.add_error("password", get_adapter().validation_error("email_password_mismatch"))
        else:
            self.user = user
        return data


class ProofForm(PasswordForm):
    """The password again, of who is in already."""

    remember = None  # type: ignore[assignment]


class CodeForm(DoorForm):
    """A code of six digits, pasted or typed, with or without its space."""

    code = forms.CharField(
        label=_("Code à 6 chiffres"),
        max_length=20,
        help_text=_("Valable 15 minutes. Vous pouvez le coller."),
        error_messages={"required": _("Indiquez le code reçu par e-mail.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "input input--code"}
        ),
    )
    new_password = forms.BooleanField(label=_("Choisir un nouveau mot de passe"), required=False)
    remember = forms.BooleanField(label=REMEMBER, required=False)

    def clean_code(self) -> str:
        digits = "".join(sign for sign in self.cleaned_data["code"] if sign not in " -.\N{NO-BREAK SPACE}\t")
        if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
            raise ValidationError(_("Le code a 6 chiffres, par exemple 418 205."))
        return digits

    def say(self, outcome: Typed) -> None:
        """What to do with a code that opens nothing."""
        if outcome is Typed.WRONG:
            self.add_error("code", _("Ce n’est pas le code de notre dernier message. Regardez-le à nouveau."))
        elif outcome is Typed.OVER:
            self.add_error("code", _("Ce code n’est plus valable. Demandez-en un nouveau."))
        self.over = outcome is Typed.OVER


class NewAddressForm(AddressForm):
    """The address one wants to come in with from now on."""

    def __init__(self, *args: Any, current: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = current
        self.fields["email"].label = _("Nouvelle adresse e-mail")
        self.fields["email"].widget.attrs["autocomplete"] = "email"

    def clean_email(self) -> str:
        email = super().clean_email()
        if email == self.current:
            raise ValidationError(_("C’est déjà votre adresse."))
        return email


class AddressCodeForm(CodeForm):
    """The code that proves it."""

    new_password = remember = None  # type: ignore[assignment]


class SecondFactorForm(DoorForm):
    """What the application shows; at sign-in, a recovery code does too."""

    code = forms.CharField(
        label=_("Code de votre application"),
        max_length=20,
        error_messages={"required": _("Indiquez le code que montre votre application.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(
        label=_("Couleurs"), choices=Theme.choices, required=False, widget=forms.RadioSelect, initial=Theme.AUTO
    )


class NewPasswordForm(DoorForm):
    password = forms.CharField(
        label=_("Mot de passe"),
        strip=False,
        max_length=500,
        help_text=_("12 caractères ou plus. Quelques mots pris au hasard conviennent très bien."),
        error_messages={"required": _("Choisissez un mot de passe.")},
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password", "minlength": "12"}),
    )
    remember = forms.BooleanField(label=REMEMBER, required=False)

    def clean_password(self) -> str:
        """Said with the other faults of the form; who stores it asks again, knowing whose it is."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


def too_many(phone: str) -> str:
    if phone:
        return _("Trop d’essais. Réessayez dans 10 minutes ou appelez le %(phone)s.") % {"phone": phone}
    return str(_("Trop d’essais. Réessayez dans 10 minutes."))
