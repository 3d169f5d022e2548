"""Ready-made reasons for a refusal, or for an act past a rule, in the words that the family reads."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marelle.requests.models import RequestKind


@dataclass(frozen=True, slots=True)
class Model:
    """`slug` comes back from the form; `text` is sent to the family."""

    slug: str
    text: Promise


#: The reasons of an agent who changes a family's days past a limit.
OVERRIDE = "override"

MODELS: dict[str, tuple[Model, ...]] = {
    RequestKind.BOOKING: (
        Model("delai", _("Le délai était passé : le repas ou l’accueil est déjà commandé.")),
        Model("complet", _("Il n’y a plus de place ce jour-là.")),
        Model("ferme", _("Le service est fermé ce jour-là.")),
        Model("inscription", _("Pas d’inscription à ce service pour cet enfant.")),
    ),
    RequestKind.ENROLMENT: (
        Model("ecole", _("L’enfant ne va pas dans cette école.")),
        Model("age", _("L’enfant n’a pas l’âge requis pour ce service.")),
        Model("complet", _("Il n’y a plus de place dans ce service.")),
        Model("dossier", _("Le dossier est incomplet : contactez le service.")),
    ),
    RequestKind.DATA: (
        Model("manque", _("Il manque un justificatif qui le montre.")),
        Model("illisible", _("Le justificatif ne se lit pas, ou ne dit pas la même chose.")),
        Model("erreur", _("Cette valeur semble erronée : appelez le service.")),
    ),
    RequestKind.ACCOUNT: (
        Model("illisible", _("Le justificatif de domicile est illisible : reprenez la photo en pleine lumière.")),
        Model("ancien", _("Le justificatif de domicile a plus de trois mois.")),
        Model("adresse", _("Le justificatif ne porte pas l’adresse indiquée.")),
        Model("connue", _("Votre famille a déjà un dossier : appelez le service.")),
    ),
    RequestKind.PAPER: (
        Model("illisible", _("Le document est illisible : reprenez la photo en pleine lumière, à plat.")),
        Model("incomplet", _("Il manque une page.")),
        Model("ancien", _("Le document est trop ancien.")),
        Model("perime", _("Le document n’est plus valable.")),
        Model("autre", _("Ce n’est pas le document demandé.")),
        Model("personne", _("Le document concerne une autre personne.")),
    ),
    OVERRIDE: (
        Model("appel", _("À la demande de la famille, par téléphone.")),
        Model("justificatif", _("Justificatif reçu par le service.")),
        Model("urgence", _("Urgence familiale.")),
        Model("erreur", _("Erreur corrigée par le service.")),
    ),
}


#: The reasons for which a request of the town's own types is refused.
QUESTION_REFUSALS = (
    Model("incomplet", _("Il manque une information : répondez sur le portail, nous reprenons votre demande.")),
    Model("illisible", _("Le document joint ne se lit pas : renvoyez-le, une photo nette suffit.")),
    Model("ailleurs", _("Cette demande ne relève pas de notre service.")),
    Model("impossible", _("Nous ne pouvons pas répondre favorablement à cette demande.")),
)
MODELS[RequestKind.QUESTION] = QUESTION_REFUSALS

#: Ready-made beginnings of a message.
MESSAGES = (
    Model("recu", _("Bonjour, nous avons bien reçu votre demande et nous y travaillons.")),
    Model("fait", _("Bonjour, c’est fait.")),
    Model("preciser", _("Bonjour, il nous manque une précision pour vous répondre :")),
    Model("appeler", _("Bonjour, appelez-nous : ce sera plus simple de vive voix.")),
)


def message_from(*, slug: str, words: str) -> str:
    """What is sent to the family: the chosen beginning, then what the agent adds; "" when neither is given."""
    model = next((str(model.text) for model in MESSAGES if model.slug == slug), "")
    return "\n".join(part for part in (model, words.strip()) if part)


def reason_from(*, kind: str, slug: str, words: str) -> str:
    """The reason that the family reads: the chosen model, then what the agent adds; "" when neither is given."""
    model = next((str(model.text) for model in MODELS.get(kind, ()) if model.slug == slug), "")
    return " ".join(part for part in (model, words.strip()) if part)[:500]
