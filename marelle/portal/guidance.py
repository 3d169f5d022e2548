"""The help of each page: its topics, told on the help page, and which one each page leads to.

A new page takes its destination's topic; it has its own once it has a line in `PAGES`.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What one does there, in a few steps."""

    slug: str
    title: str | Promise
    icon: str
    steps: tuple[str | Promise, ...]

    @property
    def url(self) -> str:
        return f"{reverse('portal:help')}#aide-{self.slug}"


HOME = Topic(
    slug="accueil",
    title=_("Se repérer sur l’accueil"),
    icon="house",
    steps=(
        _("« À faire » dit ce qui presse, le plus urgent d’abord, avec un seul bouton par chose."),
        _("« Cette semaine » montre où chaque enfant est attendu."),
        _("« Mon espace » mène à vos informations, à vos enfants et à chaque service."),
    ),
)
ENROL = Topic(
    slug="inscription",
    title=_("Inscrire un enfant à un service"),
    icon="clipboard-list",
    steps=(
        _("Dans Démarches, ouvrez « Inscrire à un service » et cochez les services de chaque enfant."),
        _("Envoyez : la demande reçoit un numéro, et vous un e-mail."),
        _("La réponse vient par e-mail. Acceptée, l’inscription ouvre le droit de réserver des jours."),
    ),
)
PLANNING = Topic(
    slug="planning",
    title=_("Réserver ou annuler des jours"),
    icon="calendar-days",
    steps=(
        _("Dans Planning, choisissez le service, puis cochez les jours de chaque enfant."),
        _("Une semaine type coche les mêmes jours sur toute une période."),
        _("Décochez un jour pour l’annuler. Un cadenas dit qu’il est trop tôt ou trop tard, et depuis quand."),
    ),
)
CHECK = Topic(
    slug="envoi",
    title=_("Vérifier et envoyer"),
    icon="send",
    steps=(
        _("Rien ne part avant « Envoyer ma demande »."),
        _("Relisez chaque jour ; retirez ceux que vous ne voulez pas."),
        _("Les jours demandés sont jaunes, puis verts une fois acceptés."),
    ),
)
ABSENCE = Topic(
    slug="absence",
    title=_("Signaler une absence"),
    icon="user-x",
    steps=(
        _("Un jour réservé qu’il est trop tard pour annuler se signale comme une absence."),
        _("Choisissez les jours, dites pourquoi si vous le souhaitez, puis envoyez."),
        _("La page dit si le jour reste facturé."),
    ),
)
TRACKING = Topic(
    slug="suivi",
    title=_("Suivre une demande"),
    icon="inbox",
    steps=(
        _("Chaque envoi reçoit un numéro. Il figure dans Démarches, sous « Suivre mes demandes »."),
        _("La page de la demande montre la réponse à chaque ligne, et pourquoi si elle est refusée."),
        _("Tant qu’elle attend, vous pouvez la retirer."),
    ),
)
FAMILY = Topic(
    slug="famille",
    title=_("Vos informations et vos enfants"),
    icon="users",
    steps=(
        _("Famille montre les adultes du foyer, l’adresse et les enfants, tels que la mairie les connaît."),
        _("Une erreur ? Demandez la correction : un agent la vérifie."),
        _("L’historique dit qui a fait quoi, et quand."),
    ),
)
HEALTH = Topic(
    slug="sante",
    title=_("La fiche santé d’un enfant"),
    icon="heart-pulse",
    steps=(
        _("Elle dit les allergies, le PAI, les traitements, le médecin. Elle se confirme chaque année scolaire."),
        _("Votre mot de passe est redemandé avant de la montrer."),
        _("Seules les personnes qui accueillent l’enfant la lisent, et vous voyez qui l’a lue."),
    ),
)
CIRCLE = Topic(
    slug="personnes",
    title=_("Qui appeler, qui vient chercher un enfant"),
    icon="user-check",
    steps=(
        _("Un contact est appelé en cas d’urgence, dans l’ordre que vous choisissez."),
        _("Une personne autorisée peut venir chercher l’enfant ; une pièce d’identité lui est demandée."),
        _("Une autorisation peut avoir une fin. Vous la retirez quand vous voulez."),
    ),
)
DOCUMENTS = Topic(
    slug="documents",
    title=_("Donner un document"),
    icon="file-up",
    steps=(
        _("Une photo prise avec le téléphone suffit, ou un PDF de 10 Mo au plus."),
        _("Le même document sert à tous les services qui le demandent."),
        _("Un agent le vérifie. S’il le refuse, la page dit pourquoi."),
    ),
)
NEWS = Topic(
    slug="actualites",
    title=_("Lire les actualités"),
    icon="megaphone",
    steps=(
        _("Les trois dernières sont sur l’accueil ; toutes sont sur leur page."),
        _("Une information urgente reste en haut de chaque page jusqu’à « J’ai lu »."),
    ),
)
ACCOUNT = Topic(
    slug="connexion",
    title=_("Se connecter"),
    icon="key-round",
    steps=(
        _("Indiquez votre adresse e-mail. La première fois, ou sans mot de passe, demandez un code."),
        _("Le code vient par e-mail. Regardez aussi dans les messages indésirables."),
        _("Nous ne demandons jamais votre mot de passe par téléphone ni par e-mail."),
    ),
)

#: In the order of the help page.
TOPICS = (ACCOUNT, HOME, ENROL, PLANNING, CHECK, ABSENCE, TRACKING, DOCUMENTS, FAMILY, HEALTH, CIRCLE, NEWS)

#: The topic of a page, by its name in the addresses.
PAGES = {
    "home": HOME,
    "enrol": ENROL,
    "check": CHECK,
    "send": CHECK,
    "absence": ABSENCE,
    "take_back_absence": ABSENCE,
    "request": TRACKING,
    "withdraw": TRACKING,
    "place": TRACKING,
    "health": HEALTH,
    "edit_health": HEALTH,
    "confirm_health": HEALTH,
    "health_readings": HEALTH,
    "new_contact": CIRCLE,
    "contact": CIRCLE,
    "new_person": CIRCLE,
    "person": CIRCLE,
    "documents": DOCUMENTS,
    "withdraw_document": DOCUMENTS,
    "news": NEWS,
    "news_post": NEWS,
}
#: The topic of a destination of the navigation, for the pages under it that have none of their own.
DESTINATIONS = {"home": HOME, "plannings": PLANNING, "demarches": ENROL, "family": FAMILY}


def topic_of(page: str, destination: str) -> Topic:
    """What helps on a page, "" when it has no name: its own topic, its destination's, or how to find one's way."""
    return PAGES.get(page) or DESTINATIONS.get(destination) or HOME
