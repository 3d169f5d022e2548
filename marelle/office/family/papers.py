"""What the services of the family require, and where each paper stands."""

from marelle.bookings.queries.papers import HomePapers
from marelle.office.family.sight import Card, Sight
from marelle.office.papers import may_see


def papers(sight: Sight) -> Card:
    """One query, and two more for each school year when something is required."""
    home = HomePapers(
        town=sight.town, household=sight.household, children=[(child, None) for child in sight.children], at=sight.at
    )
    return Card(
        template="office/families/cards/_papers.html",
        facts={"papers": [item for item in home.asked() if may_see(item, sight.role)]},
    )
