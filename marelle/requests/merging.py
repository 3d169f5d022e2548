"""What merging two families asks of requests: corrections follow those that they are about. They name them by number,
which nothing else would move."""

from datetime import datetime

from marelle.families.doubles.merging import Merge
from marelle.foundation.audit import Actor
from marelle.requests.models import Correction

#: The tables of this room where two rows could become one too many.
SETTLES: tuple[str, ...] = ()


def follow(*, merge: Merge, by: Actor, at: datetime) -> None:
    for model, moves in merge.targets():
        for going, staying in moves.items():
            Correction.objects.filter(subject_type=model._meta.model_name, subject_id=going).update(subject_id=staying)
