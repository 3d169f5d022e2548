"""Which early openings the family has a right to."""

from marelle.families.labels import AUDIENCE_WORDS
from marelle.office.family.sight import Card, Sight


def audiences(sight: Sight) -> Card:
    ticked = sight.household.audiences
    return Card(
        template="office/families/cards/_audiences.html",
        facts={"audiences": [(str(one), words, one in ticked) for one, words in AUDIENCE_WORDS.items()]},
    )
