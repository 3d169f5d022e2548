"""What agents read of a file and of its lines."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.families.imports.remarks import Why
from marelle.families.imports.sheets import MAX_COLUMNS, MAX_LINES, SheetFault, Unreadable
from marelle.foundation.files.verdicts import size_words

FIELDS: dict[str, Promise | str] = {
    "child.last_name": gettext_lazy("Nom de l’enfant"),
    "child.first_name": gettext_lazy("Prénom de l’enfant"),
    "child.birth_date": gettext_lazy("Date de naissance"),
    "child.ine": gettext_lazy("Identifiant national (INE)"),
    "child.school": gettext_lazy("École"),
    "child.level": gettext_lazy("Niveau"),
    "child.class_name": gettext_lazy("Classe"),
    "1.last_name": gettext_lazy("Responsable 1 : nom"),
    "1.first_name": gettext_lazy("Responsable 1 : prénom"),
    "1.email": gettext_lazy("Responsable 1 : adresse e-mail"),
    "1.phone": gettext_lazy("Responsable 1 : téléphone"),
    "1.address": gettext_lazy("Responsable 1 : adresse"),
    "1.postcode": gettext_lazy("Responsable 1 : code postal"),
    "1.city": gettext_lazy("Responsable 1 : commune"),
    "2.last_name": gettext_lazy("Responsable 2 : nom"),
    "2.first_name": gettext_lazy("Responsable 2 : prénom"),
    "2.email": gettext_lazy("Responsable 2 : adresse e-mail"),
    "2.phone": gettext_lazy("Responsable 2 : téléphone"),
    "2.address": gettext_lazy("Responsable 2 : adresse"),
    "2.postcode": gettext_lazy("Responsable 2 : code postal"),
    "2.city": gettext_lazy("Responsable 2 : commune"),
}

#: What a change tells of.
CHANGED: dict[str, Promise | str] = {
    "last_name": gettext_lazy("Nom"),
    "first_name": gettext_lazy("Prénom"),
    "birth_date": gettext_lazy("Date de naissance"),
    "ine": gettext_lazy("Identifiant national (INE)"),
    "school": gettext_lazy("École"),
    "level": gettext_lazy("Niveau"),
    "class_name": gettext_lazy("Classe"),
    "email": gettext_lazy("Adresse e-mail"),
    "phone": gettext_lazy("Téléphone"),
    "address": gettext_lazy("Adresse"),
    "home": gettext_lazy("Foyer"),
    "adult": gettext_lazy("Responsable"),
}


def file_words(refusal: Unreadable) -> str:
    """Why a whole file is not taken, and what to do."""
    match refusal.fault:
        case SheetFault.EMPTY:
            return _("Ce fichier est vide.")
        case SheetFault.TOO_HEAVY:
            return _("Ce fichier pèse %(size)s. Le maximum est 10 Mo.") % {"size": size_words(refusal.number)}
        case SheetFault.WORKBOOK:
            return _("C’est un classeur. Dans votre tableur, enregistrez-le au format CSV, puis déposez ce CSV.")
        case SheetFault.NOT_TEXT:
            return _("Ce fichier n’est pas un tableau au format CSV.")
        case SheetFault.QUOTES:
            return _("Le fichier ne se lit plus à partir de la ligne %(n)d : un guillemet y est de trop.") % {
                "n": refusal.number
            }
        case SheetFault.ONE_COLUMN:
            return _("Le fichier n’a qu’une colonne. Séparez les colonnes par des points-virgules.")
        case SheetFault.TOO_MANY_LINES:
            return _("Le fichier a plus de %(n)d lignes. Coupez-le en plusieurs fichiers.") % {"n": MAX_LINES}
        case SheetFault.TOO_MANY_COLUMNS:
            return _("Le fichier a plus de %(n)d colonnes.") % {"n": MAX_COLUMNS}
        case SheetFault.ONLY_A_HEADER:
            return _("Le fichier n’a que sa ligne de titres.")


def why_words(why: Why, facts: dict[str, str]) -> str:
    """Why a line is left out, or what was not taken from it."""
    match why:
        case Why.NO_NAME:
            return _("Nom ou prénom vide")
        case Why.BAD_DATE if facts.get("text"):
            return _("Date de naissance « %(text)s » : ce jour n’existe pas") % facts
        case Why.BAD_DATE:
            return _("Date de naissance vide")
        case Why.AGE:
            return _("Naissance en %(year)s : âge hors école") % facts
        case Why.BAD_INE:
            return _("Identifiant national « %(text)s » : il a 10 chiffres et une lettre") % facts
        case Why.SAME_INE:
            return _("Même identifiant national que la ligne %(line)s") % facts
        case Why.SAME_CHILD:
            return _("Même enfant que la ligne %(line)s") % facts
        case Why.EXCESS:
            return _("Une case de trop, ou trop longue")
        case Why.NO_SCHOOL:
            return _("Aucune école indiquée")
        case Why.UNKNOWN_SCHOOL:
            return _("École « %(text)s » inconnue ici") % facts
        case Why.LEVEL_NOT_HERE:
            return _("Il n’y a pas de %(level)s à %(school)s") % facts
        case Why.NO_GUARDIAN:
            return _("Aucun responsable légal")
        case Why.GUARDIAN_NO_NAME:
            return _("Responsable sans nom ou sans prénom")
        case Why.CHILD_NOT_IN_FILE:
            return _("%(name)s n’est pas dans le fichier des élèves") % facts
        case Why.NAMESAKES:
            return _("Plusieurs élèves s’appellent %(name)s") % facts
        case Why.NO_CHILD:
            return _("Aucun enfant sur cette ligne")
        case Why.BAD_EMAIL:
            return _("Adresse e-mail « %(address)s » illisible : laissée vide") % facts
        case Why.SHARED_EMAIL:
            return _("Même adresse e-mail que %(name)s : laissée vide, chacun a la sienne") % facts
        case Why.EMAIL_IN_USE:
            return _("L’adresse %(address)s est déjà celle de %(name)s : laissée vide") % facts
        case Why.OPEN_ACCOUNT:
            return _("Garde l’adresse %(old)s, celle de son compte ; le fichier dit %(new)s") % facts
        case Why.OTHER_HOME_TOO:
            return _("Reste aussi dans le foyer %(name)s : à revoir") % facts
        case Why.OTHER_INE:
            return _("Un enfant de mêmes nom et date de naissance a un autre identifiant national") % facts


def todo_words(why: Why) -> str:
    """What the agent may do about it."""
    match why:
        case Why.SAME_INE | Why.SAME_CHILD:
            return _("Garder une seule ligne")
        case Why.NO_GUARDIAN | Why.NO_NAME | Why.GUARDIAN_NO_NAME | Why.NO_CHILD:
            return _("Compléter le fichier")
        case Why.NO_SCHOOL:
            return _("Choisir l’école en déposant le fichier, ou compléter le fichier")
        case Why.UNKNOWN_SCHOOL | Why.LEVEL_NOT_HERE:
            return _("Vérifier l’école et le niveau")
        case Why.OTHER_HOME_TOO | Why.OTHER_INE:
            return _("Vérifier sur la fiche")
        case Why.BAD_EMAIL | Why.SHARED_EMAIL | Why.EMAIL_IN_USE | Why.OPEN_ACCOUNT:
            return _("Demander à la famille")
        case _:
            return _("Corriger le fichier")
