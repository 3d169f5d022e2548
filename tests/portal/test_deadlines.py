"""The line above the grid that says until when days change."""

import pytest

from marelle.activities.queries import municipality
from marelle.portal.planning.deadlines import deadline_words
from marelle.towns.services import load_town
from tests.offer import AT, service
from tests.towns.files import file_of

pytestmark = pytest.mark.django_db


def words(town: str, slug: str) -> str:
    load_town(file_of(town), at=AT)
    found = service(slug)
    said = deadline_words(municipality(), found, list(found.units.filter(archived_at=None)))
    return said.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_one_limit_is_said_once() -> None:
    assert words("cadours", "cantine") == "la veille, 9 h"
    assert words("espace-famille-alsh", "periscolaire") == "48 heures ouvrées avant"


def test_units_that_differ_each_have_theirs() -> None:
    assert words("mon-compte-famille", "mercredi") == (
        "la veille, 12 h (Matin et Après-midi) ; "
        "3 jours ouvrés avant, 12 h (Matin avec repas, Repas et Journée avec repas)"
    )
