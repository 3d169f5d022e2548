"""What the browser fixtures promise, on a page of nothing but them."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

pytestmark = pytest.mark.e2e

PAGE = """<!doctype html><html lang="fr"><head><title>Essai</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"></head><body><main><h1>Essai</h1><p id="said">sans script</p>{more}</main>
<script src="/script.js"></script></body></html>"""


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, body = "text/html; charset=utf-8", PAGE.format(more="")
        if self.path == "/script.js":
            kind, body = "text/javascript", "document.querySelector('#said').textContent = 'avec script'"
        elif self.path == "/faults":
            body = PAGE.format(more='<input><img src="data:,">')
        elif self.path == "/inline":
            body = PAGE.format(more="<script>document.title = 'Autre'</script>")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src data:")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_phone_and_desktop_have_their_sizes(site: str, phone, desktop) -> None:
    sizes = {}
    for name, open_page in (("phone", phone), ("desktop", desktop)):
        page = open_page(site)
        page.goto("/")
        sizes[name] = page.evaluate("[innerWidth, innerHeight, matchMedia('(pointer: coarse)').matches]")
    assert sizes == {"phone": [390, 844, True], "desktop": [1280, 900, False]}


def test_scripts_can_be_off(site: str, visit) -> None:
    for javascript, said in ((True, "avec script"), (False, "sans script")):
        page = visit(site, javascript=javascript)
        page.goto("/")
        assert page.locator("#said").inner_text() == said


def test_dark_is_dark(site: str, visit) -> None:
    for dark in (True, False):
        page = visit(site, dark=dark)
        page.goto("/")
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark


def test_no_other_host_is_reached(site: str, visit) -> None:
    page = visit(site)
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://portail.example/")


def test_axe_passes_a_sound_page_and_names_the_faults_of_another(site: str, visit, axe) -> None:
    page = visit(site)
    page.goto("/")
    axe(page)
    page.goto("/faults")
    with pytest.raises(AssertionError) as found:
        axe(page)
    assert "critical: image-alt" in str(found.value)
    assert "critical: label" in str(found.value)
    assert "<input>" in str(found.value)
    axe(page, leave_out=("image-alt", "label"))


def test_a_page_that_breaks_its_policy_fails_its_test_and_leaves_artifacts(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    """Told in a run of its own: the failure is the fixture's."""
    monkeypatch.setenv("MARELLE_TEST_ARTIFACTS", str(pytester.path / "left"))
    pytester.makepyfile(
        f"""
        pytest_plugins = ["tests.plumbing.portals", "tests.plumbing.browsers"]
        def test_visit(visit):
            visit({site!r}).goto("/inline")
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:django", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the page broke its own rules:*", "*Content Security Policy*"])
    left = sorted(path.name for path in (pytester.path / "left").rglob("*") if path.is_file())
    assert left == ["page-1.html", "page-1.png", "trace-1.zip"]
