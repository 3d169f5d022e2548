"""Small Markdown, made safe."""

import pytest

from marelle.foundation import prose


def test_what_it_draws() -> None:
    text = "# Grève\n\nLa cantine est **ouverte**, *sauf* imprévu : venez.\n\n- un\n- deux\n\n[le planning](/planning/)"
    assert prose.html(text) == (
        "<h2>Grève</h2>\n<p>La cantine est <strong>ouverte</strong>, <em>sauf</em> imprévu&nbsp;: venez.</p>\n"
        "<ul>\n<li>un</li>\n<li>deux</li>\n</ul>\n"
        '<p><a href="/planning/" rel="noopener noreferrer">le planning</a></p>\n'
    )
    assert 'href="https://town.example/planning/"' in prose.html(text, site="https://town.example")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[clic](javascript:alert(1))",
        "[clic](data:text/html;base64,PHNjcmlwdD4=)",
        "![suivi](https://ailleurs.example/pixel.png)",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](https://a.example 'onmouseover=alert(1)')",
        "<!-- <b> -->",
        "\x00[x](JaVaScRiPt:alert(1))",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(text: str) -> None:
    drawn = prose.html(text).lower()
    for bad in ("<script", "<img", 'href="javascript', 'href="data', 'onmouseover="', "<!--"):
        assert bad not in drawn
