"""What merging two families asks of news: an adult is told of a post once."""

from datetime import datetime

from marelle.communication.models import NewsNotice
from marelle.families.doubles.merging import Merge, drop_clashes
from marelle.foundation.audit import Actor

#: The tables of this room where two rows could become one too many.
SETTLES = ("communication.NewsNotice",)


def settle_clashes(*, merge: Merge, by: Actor, at: datetime) -> None:
    drop_clashes(NewsNotice, ("post", "guardian"), {"guardian": dict(merge.guardians)})
