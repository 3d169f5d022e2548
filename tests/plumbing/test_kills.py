from django.contrib.contenttypes.models import ContentType
from django.db import transaction


def nothing_yet() -> dict[str, int]:
    return {"pieces": 3}


def write_together(*, pieces: int) -> None:
    with transaction.atomic():
        for piece in range(pieces):
            ContentType.objects.create(app_label="kill", model=str(piece))


def write_one_by_one(*, pieces: int) -> None:
    for piece in range(pieces):
        ContentType.objects.create(app_label="kill", model=str(piece))


def fail(*, pieces: int) -> None:
    raise RuntimeError("the act itself is wrong")


def count(*, pieces: int) -> int:
    return ContentType.objects.filter(app_label="kill").count()


def test_a_transaction_is_whole_or_absent_wherever_it_is_cut(kills) -> None:
    aftermaths = kills(write_together, prepare=nothing_yet, look=count)
    assert [aftermath.seen for aftermath in aftermaths if aftermath.killed] == [0] * (len(aftermaths) - 1)
    assert (aftermaths[-1].killed, aftermaths[-1].seen) == (False, 3)
    assert "INSERT" in aftermaths[-2].last  # cut between the last statement and the COMMIT


def test_what_is_not_in_one_transaction_is_caught_in_pieces(kills) -> None:
    aftermaths = kills(write_one_by_one, prepare=nothing_yet, look=count)
    assert {aftermath.seen for aftermath in aftermaths} == {0, 1, 2, 3}


def test_an_act_that_fails_by_itself_is_not_mistaken_for_a_kill(kills) -> None:
    try:
        kills(fail, prepare=nothing_yet, look=count)
    except AssertionError as error:
        assert "the act itself is wrong" in str(error)
    else:
        raise AssertionError("the failure went unnoticed")
