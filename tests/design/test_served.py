"""The sprite and the town's sheet, as browsers get them."""

import pytest
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve

from marelle.foundation import errors
from marelle.foundation.icons import sprite_address
from marelle.foundation.theme import sheet_address


def test_the_sprite_is_kept_for_ever_at_its_own_address(client: Client) -> None:
    answer = client.get(sprite_address())
    assert answer["Content-Type"] == "image/svg+xml"
    assert "immutable" in answer["Cache-Control"]


def test_an_older_address_still_gives_icons_but_is_not_kept(client: Client) -> None:
    answer = client.get("/icones-0123456789ab.svg")
    assert b'id="i-check"' in answer.content
    assert answer["Cache-Control"] == "no-cache"


def test_the_town_sheet_is_kept_for_ever_at_its_own_address(client: Client) -> None:
    answer = client.get(sheet_address("#F6C400"))
    assert answer["Content-Type"] == "text/css"
    assert "immutable" in answer["Cache-Control"]
    assert b"--brand:#745c00" in answer.content


@pytest.mark.parametrize("wrong", ["zzzzzz", "F6C400", "f6c40", "f6c400;"])
def test_the_town_sheet_takes_nothing_but_a_colour(wrong: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/theme-{wrong}-0123456789ab.css", urlconf="marelle.foundation.urls")


def test_error_pages_stand_without_the_database(rf: RequestFactory) -> None:
    request = rf.get("/nowhere")
    assert errors.not_found(request, Exception()).status_code == 404
    assert errors.forbidden(request, Exception()).status_code == 403
    assert errors.bad_request(request, Exception()).status_code == 400
    assert errors.csrf_failure(request).status_code == 403
    assert "Rien n’est perdu" in errors.server_error(request).content.decode()
