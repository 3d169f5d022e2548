"""Sealed values and their keys."""

import base64
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from marelle.foundation import resealing
from marelle.foundation.files import store
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import StoredFile
from marelle.foundation.sealing import CannotUnseal, Keyring, key_of, resealed, seal, unseal
from tests.offer import AT

OLD = f"old:{base64.urlsafe_b64encode(bytes(range(32))).decode()}"
NEW = f"new:{base64.urlsafe_b64encode(bytes(range(32, 64))).decode()}"


@given(plain=st.binary(max_size=300), place=st.text(max_size=40))
def test_what_is_sealed_opens_in_its_own_place_only(plain: bytes, place: str) -> None:
    sealed = seal(plain, bound_to=place)
    assert unseal(sealed, bound_to=place) == plain
    assert len(plain) < 8 or plain not in sealed
    with pytest.raises(CannotUnseal):
        unseal(sealed, bound_to=place + "!")


@given(plain=st.binary(min_size=1, max_size=60), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_bit_changed_anywhere_and_it_does_not_open(plain: bytes, at: int, bit: int) -> None:
    sealed = bytearray(seal(plain, bound_to="a"))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(CannotUnseal):
        unseal(bytes(sealed), bound_to="a")


def test_the_same_words_sealed_twice_do_not_look_alike() -> None:
    assert seal(b"asthme", bound_to="a") != seal(b"asthme", bound_to="a")


def test_an_old_key_opens_and_the_first_one_seals(settings) -> None:  # type: ignore[no-untyped-def]
    settings.DATA_KEYS = OLD
    before = seal(b"asthme", bound_to="a")
    settings.DATA_KEYS = f"{NEW},{OLD}"
    assert unseal(before, bound_to="a") == b"asthme"
    after = resealed(before, bound_to="a")
    assert (key_of(before), key_of(after)) == ("old", "new")
    settings.DATA_KEYS = NEW
    assert unseal(after, bound_to="a") == b"asthme"
    with pytest.raises(CannotUnseal, match="old"):
        unseal(before, bound_to="a")


@pytest.mark.parametrize(
    "text",
    ["", "nokey", "a:short", f"{OLD},{OLD}", OLD.replace("old", "é"), OLD.replace("old", "a b"), "a:" + "?" * 44],
)
def test_a_bad_ring_of_keys_is_said_without_showing_any(text) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ImproperlyConfigured) as caught:
        Keyring.parse(text)
    for part in text.split(","):
        secret = part.partition(":")[2]
        assert not secret or secret not in str(caught.value)


def kept(content: bytes = b"%PDF-1.7 une attestation", name: str = "assurance.pdf") -> StoredFile:
    with transaction.atomic():
        return store.keep(Judged(FileKind.PDF, content), name=name, at=AT)


@pytest.fixture
def private_files(settings, tmp_path):  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


@pytest.mark.django_db
def test_a_kept_file_reads_back_and_is_unreadable_on_disk(private_files) -> None:  # type: ignore[no-untyped-def]
    stored = kept()
    assert store.read(stored) == b"%PDF-1.7 une attestation"
    (path,) = [path for path in private_files.rglob("*") if path.is_file()]
    assert b"attestation" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.django_db
def test_a_file_copied_over_another_does_not_open(private_files) -> None:  # type: ignore[no-untyped-def]
    one, other = kept(), kept(b"%PDF-1.7 un PAI")
    store.path_of(one.id).write_bytes(store.path_of(other.id).read_bytes())
    with pytest.raises(store.FileGone):
        store.read(one)
    StoredFile.objects.filter(pk=one.pk).update(sealed_key=other.sealed_key)
    with pytest.raises(CannotUnseal):
        store.read(StoredFile.objects.get(pk=one.pk))


@pytest.mark.django_db
def test_a_file_is_answered_privately_and_never_as_a_page(private_files) -> None:  # type: ignore[no-untyped-def]
    answer = store.respond(kept(name="é<script>.pdf"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer["Content-Disposition"].startswith("inline") and "<" not in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("assurance.pdf", "assurance.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        (r"C:\Documents\Mon assurance.PDF", "Mon assurance.pdf"),
        ("facture\u202efdp.exe", "facturefdp.pdf"),
        ("a\x00b\n.pdf", "ab.pdf"),
        (".htaccess", "document.pdf"),
        ("", "document.pdf"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
    ],
)
def test_a_name_is_kept_without_what_could_mislead(sent, shown) -> None:  # type: ignore[no-untyped-def]
    assert store.clean_name(sent, FileKind.PDF) == shown


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_transaction_failed_is_swept_a_day_later(private_files) -> None:  # type: ignore[no-untyped-def]
    stays = kept()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        store.keep(Judged(FileKind.PDF, b"%PDF-1.7"), name="a.pdf", at=AT)
        raise ZeroDivisionError
    now = datetime.now(UTC)
    assert store.sweep(at=now) == 0
    assert store.sweep(at=now + timedelta(days=2)) == 1
    assert store.read(stays).startswith(b"%PDF")
    place = store.path_of(stays.id)
    with transaction.atomic():
        store.discard([stays])
        assert place.exists()  # until the transaction holds
    assert not place.exists() and not StoredFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_keys_change_while_the_portal_runs(private_files, settings) -> None:  # type: ignore[no-untyped-def]
    settings.DATA_KEYS = OLD
    files = [kept(f"%PDF-1.7 {n}".encode()) for n in range(3)]
    settings.DATA_KEYS = f"{NEW},{OLD}"
    said = io.StringIO()
    call_command("keys", "rotate", stdout=said)
    assert "3 resealed" in said.getvalue() and "0 left" in said.getvalue()
    settings.DATA_KEYS = NEW
    for n, stored in enumerate(files):
        assert store.read(StoredFile.objects.get(pk=stored.pk)) == f"%PDF-1.7 {n}".encode()
    again = io.StringIO()
    call_command("keys", "rotate", stdout=again)
    assert "0 resealed" in again.getvalue()


@pytest.mark.django_db(transaction=True)
def test_what_somebody_saves_during_the_change_of_keys_stays(private_files, settings) -> None:  # type: ignore[no-untyped-def]
    settings.DATA_KEYS = OLD
    stored = kept()
    settings.DATA_KEYS = f"{NEW},{OLD}"
    meanwhile = seal(b"k" * 32, bound_to=stored.bound_to())
    theirs = [meanwhile]

    def overtaking(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if sql.startswith("UPDATE") and theirs:
            StoredFile.objects.filter(pk=stored.pk).update(sealed_key=theirs.pop())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(overtaking):
        result, *_others = resealing.reseal_all()
    assert (result.done, result.overtaken) == (0, 1)
    assert bytes(StoredFile.objects.get().sealed_key) == meanwhile


@pytest.mark.django_db
def test_a_key_that_is_missing_is_said_and_nothing_is_lost(private_files, settings) -> None:  # type: ignore[no-untyped-def]
    settings.DATA_KEYS = OLD
    stored = kept()
    settings.DATA_KEYS = NEW
    said = io.StringIO()
    with pytest.raises(CommandError, match="keep every key"):
        call_command("keys", "rotate", stdout=said)
    assert "1 unreadable" in said.getvalue()
    with pytest.raises(store.FileGone):
        store.respond(stored)
    settings.DATA_KEYS = f"{NEW},{OLD}"
    assert store.read(StoredFile.objects.get()) == b"%PDF-1.7 une attestation"


def test_a_new_key_is_one(settings) -> None:  # type: ignore[no-untyped-def]
    said = io.StringIO()
    call_command("keys", "new", stdout=said)
    assert Keyring.parse(f"k:{said.getvalue().strip()}").current == "k"
