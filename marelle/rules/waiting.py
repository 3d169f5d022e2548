"""Who, of those who wait for a day, finds room, and at which rank they stand (docs/algorithms/waiting-list.md)."""

from collections.abc import Mapping, Sequence


def serve(room: Mapping[int, int | None], waiting: Sequence[Sequence[int]]) -> tuple[list[bool], dict[int, int | None]]:
    """Serve these in their order: each takes one place in every bucket it names, or none at all.

    `room`: the places left in each bucket, None for a bucket that is not counted; a bucket that it does not hold is
    closed, and whoever names it is not served, nor who names none. Answers who was served, and the room left.
    """
    left = dict(room)
    served = []
    for buckets in waiting:
        fits = bool(buckets) and all(bucket in left and left[bucket] != 0 for bucket in buckets)
        served.append(fits)
        if fits:
            for bucket in buckets:
                places = left[bucket]
                left[bucket] = None if places is None else places - 1
    return served, left


def standing_before(buckets: Sequence[int], earlier: Sequence[Sequence[int]]) -> int:
    """How many of these, who queued before, share a bucket with who names `buckets`. The rank is one more."""
    mine = set(buckets)
    return sum(not mine.isdisjoint(others) for others in earlier)
