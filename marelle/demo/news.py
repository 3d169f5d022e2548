"""The demo's news: what the town has told families when the demo begins, one of it urgent, and what its agents prepare.

Written through the services, once, beside what visitors write later; the words are data, like the families' names.
"""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from marelle.accounts.models import User
from marelle.activities.models import Service, Site
from marelle.communication.services.posts import Content, publish_new_post, write_post
from marelle.demo.almanac import ONE_DAY, Almanac
from marelle.foundation.sentences import day_words

RULES = """
La pause de midi a un nouveau règlement à partir de janvier.

## Ce qui change
- Les repas se réservent **deux jours** plus tôt.
- Un enfant malade n’est plus facturé dès le premier jour, avec un certificat.
- Les activités du midi sont ouvertes à toutes les classes.

Rien à signer aujourd’hui : vous l’acceptez à votre prochaine inscription."""

TASTE = """
Pendant une semaine, les enfants ont cuisiné avec l’équipe de la cantine. La recette qui a gagné :

> Un velouté de potiron, trois châtaignes, une pincée de muscade.

Elle est au menu ce mois-ci. Merci aux parents venus éplucher avec nous."""

WORKS = """
La façade est en travaux jusqu’aux vacances. L’entrée se fait par la cour des petits.

1. Un agent est présent à l’ouverture.
2. Le portail ferme dix minutes après le début de la classe.

En cas de retard, appelez l’école."""

STRIKE = """
Une partie de l’équipe est en grève. L’école accueille les enfants, la cantine est ouverte.

**L’accueil du matin et celui du soir sont fermés ce jour-là.** Les jours déjà réservés ne sont pas facturés.

Une difficulté ? Appelez le service : nous cherchons une solution avec vous."""


def tell(almanac: Almanac, *, malika: User, karim: User, at: datetime) -> int:
    """Write the demo's news as if it had been written over the last weeks; how many pieces of news there are."""
    schools = list(Site.objects.filter(kind=Site.Kind.SCHOOL, archived_at=None))
    canteen = Service.objects.filter(icon="utensils", archived_at=None).values_list("pk", flat=True)[:1]
    office = almanac.town.department_name or almanac.town.name
    today = almanac.local(at)
    strike = almanac.working_day(today + 2 * ONE_DAY)
    first, last = schools[0], schools[-1]

    def publish(title: str, *, days: int, body: str, by: User = malika, later: int = 0, **said: object) -> None:
        """`days` ago; `later`: published so many days after it was written."""
        written = almanac.instant(today - days * ONE_DAY, 9, 20)
        written = min(written, at - timedelta(minutes=5))
        publish_new_post(
            key=uuid5(NAMESPACE_URL, f"{almanac.town.slug}/{almanac.seed}/{title}"),
            content=Content(title=title, body=body.strip(), **said),  # type: ignore[arg-type]
            published_at=written + later * ONE_DAY,
            by=by.actor(as_agent=True),
            at=written,
        )

    publish(
        "Travaux : l’entrée de l’école change",
        days=26,
        by=karim,
        summary="Jusqu’aux vacances, entrez par la cour des petits.",
        body=WORKS,
        author=first.name,
        sites=[first.pk],
    )
    publish(
        "Semaine du goût : la recette des enfants",
        days=17,
        by=karim,
        summary="Le velouté de potiron a gagné. Il est au menu ce mois-ci.",
        body=TASTE,
        author=office,
        services=list(canteen),
    )
    publish(
        "Le nouveau règlement de la pause de midi",
        days=9,
        summary="Ce qui change en janvier, en deux minutes.",
        body=RULES,
        author=office,
    )
    publish(
        f"Grève {day_words(strike)} : service minimum d’accueil",
        days=3,
        later=2,
        summary="La cantine est ouverte ; pas d’accueil du matin ni du soir.",
        body=STRIKE,
        author=office,
        sites=[last.pk],
        urgent=True,
        unpublish_at=almanac.instant(strike + ONE_DAY, 0, 0),
    )
    publish(
        "Inscriptions aux sorties du printemps",
        days=1,
        later=4,
        summary="La liste des sorties, les dates, les places.",
        body="Les inscriptions ouvrent dans la semaine. Cochez une sortie par enfant.",
        author=office,
    )
    write_post(
        key=uuid5(NAMESPACE_URL, f"{almanac.town.slug}/{almanac.seed}/draft"),
        content=Content(
            title="Fête des écoles", summary="La date arrive.", body="À compléter : date, stands.", author=office
        ),
        by=karim.actor(as_agent=True),
        at=at - timedelta(hours=3),
    )
    return 6
