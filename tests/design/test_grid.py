"""The grid's HTML, as a browser without style nor script would take it."""

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string

from marelle.foundation.components.grid import Day, Grid, Mark, Tile, pack_seen, unpack_seen
from marelle.foundation.components.tile import tile_html
from tests.design.gallery import samples


class Reader(HTMLParser):
    """Collects the inputs and the text of each label."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inputs: list[dict[str, str | None]] = []
        self.labels: list[str] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            self.inputs.append(dict(attrs))
        if tag == "label":
            self.labels.append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.labels[-1] += data


def drawn(grid: Grid) -> Reader:
    return Reader(render_to_string("foundation/parts/_grid.html", {"grid": grid}))


TILE = Tile(
    key="1.7.2026-11-12",
    day="jeudi 12 novembre",
    state=samples.STATES["booked"],
    kid=samples.INES,
    base=True,
    ticked=True,
    editable=True,
)


def test_a_box_is_named_by_date_child_and_state() -> None:
    assert Reader(tile_html(TILE)).labels == ["jeudi 12 novembre, InInès, RéservéÀ annuler"]


def test_a_box_posts_its_key_when_ticked() -> None:
    (box,) = Reader(tile_html(TILE, name="voulu")).inputs
    assert (box["name"], box["value"], "checked" in box) == ("voulu", "1.7.2026-11-12", True)
    (box,) = Reader(tile_html(replace(TILE, ticked=False))).inputs
    assert "checked" not in box


def test_what_cannot_change_is_a_text() -> None:
    html = tile_html(replace(TILE, editable=False, state=samples.STATES["locked"], why="le délai était hier, 9 h"))
    assert Reader(html).inputs == []
    assert html.startswith("<div")
    assert "le délai était hier, 9 h" in html


def test_names_are_escaped() -> None:
    kid = replace(samples.INES, name='<b>"I', letters="<b")
    html = tile_html(replace(TILE, kid=kid, key='1"><script>', day="<i>", note="<u>", described_by='"x'))
    assert "<b>" not in html
    assert "<script>" not in html
    assert "<i>" not in html
    assert "<u>" not in html


def test_the_rows_say_what_the_page_showed() -> None:
    reader = drawn(samples.month())
    seen = unpack_seen(str(box["value"]) for box in reader.inputs if box["name"] == "seen")
    boxes = {box["value"] for box in reader.inputs if box["name"] == "want"}
    assert set(seen) == boxes
    assert seen["2.7.2026-11-19"] == "pending"


def test_packing_is_undone() -> None:
    tiles = [
        TILE,
        replace(TILE, key="2.7.2026-11-12", state=samples.STATES["free"]),
        replace(TILE, key="3", editable=False),
    ]
    assert unpack_seen([pack_seen(tiles)]) == {"1.7.2026-11-12": "booked", "2.7.2026-11-12": "free"}
    assert unpack_seen(["nonsense", ""]) == {}


def test_a_grid_for_reading_has_no_box_and_no_button() -> None:
    html = render_to_string("foundation/parts/_grid.html", {"grid": samples.month(reading=True)})
    assert "<input" not in html
    assert "<button" not in html
    assert "À annuler" in html


def test_a_closed_day_says_its_reason() -> None:
    grid = replace(samples.units(), weeks=samples.units().weeks[:1])
    assert "Armistice" in render_to_string("foundation/parts/_grid.html", {"grid": grid})


def test_every_box_has_its_own_id() -> None:
    for grid in (samples.month(), samples.units(), samples.week()):
        ids = [box["id"] for box in drawn(grid).inputs if box["name"] == "want"]
        assert len(ids) == len(set(ids)) > 0


def test_a_lone_unit_is_said_once_above_its_tiles() -> None:
    html = render_to_string("foundation/parts/_grid.html", {"grid": samples.units()})
    assert html.count('<span class="unitname" aria-hidden="true">Matin</span>') == 9


def test_the_legend_gathers_each_state_once() -> None:
    day = Day(date=date(2026, 11, 12).isoformat(), number="12", tiles=(TILE, replace(TILE, key="x")))
    week = replace(samples.month().weeks[1], days=(day,))
    grid = replace(samples.month(), weeks=(week, replace(week, closed=Mark("Férié", "ban", "closed"))))
    assert [state.css for state in grid.states()] == ["booked", "closed"]


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_neither_context_nor_database(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert page.count("<h1>") == 1
    assert 'lang="fr"' in page


def test_the_month_stays_light() -> None:
    assert len(render_to_string("foundation/parts/_grid.html", {"grid": samples.month()}).encode()) < 60_000
