"""A town that asks for papers, and what families hand in."""

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests.offer import AT, TOWNS, Family, ask

PAPERS = """
[papers.assurance]
name = "Assurance scolaire"

[papers.domicile]
name = "Justificatif de domicile"
about = "household"
each_year = false
max_age_months = 3
help = "Une facture d’eau, d’énergie ou de téléphone fixe."

[papers.pai]
name = "Projet d’accueil individualisé"
own_end = true
health = true

[papers.identite]
name = "Pièce d’identité"
about = "guardian"
valid_months = 120

[papers.certificat]
name = "Certificat médical"
each_year = false

"""


def town_with_papers(*, requires: str = '["assurance", "domicile"]') -> Municipality:
    """Cadours, whose canteen needs these papers."""
    text = (TOWNS / "cadours.toml").read_text(encoding="utf-8")
    canteen, asked = text.split("[services.cantine]\n", 1)
    asked = asked.replace("requires = { ", f"requires = {{ papers = {requires}, ", 1)
    load_town(read_text(f"{canteen}{PAPERS}[services.cantine]\n{asked}"), at=AT)
    return municipality()


def asked(who: Family) -> None:
    """The family asked for the canteen before the town required papers of it."""
    town_with_papers(requires="[]")
    ask(who)
    town_with_papers()


PICTURE = Judged(FileKind.PICTURE, b"\xff\xd8\xff a picture, already judged")
