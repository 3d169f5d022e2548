# ruff: noqa: E501
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from tests.design.gallery import samples

PAGES = {
    "": ("planning.html", lambda: {"grid": samples.month(), "services": samples.SERVICES, "changes": samples.CHANGES, "legend": samples.LEGEND}),
    "units": ("planning.html", lambda: {"grid": samples.units(), "services": samples.SERVICES, "changes": [], "legend": samples.LEGEND}),
    "week": ("planning.html", lambda: {"grid": samples.week(), "services": samples.SERVICES, "changes": samples.CHANGES, "legend": samples.LEGEND}),
    "components": ("components.html", lambda: {"form": samples.Sample({"email": "nadia", "phone": ""}), "blank": samples.Sample(auto_id="b_%s"), "kids": samples.kids([(str(i), n) for i, n in enumerate(("Inès", "Tom", "Inaya", "Zoé", "Noé"))]), "legend": samples.LEGEND, "lines": samples.CHANGES}),
    "door": ("door.html", lambda: {"form": samples.Sample(auto_id="d_%s")}),
    "staff": ("staff.html", lambda: {"grid": samples.month(reading=True), "legend": samples.LEGEND}),
}  # fmt: skip


def page(request: HttpRequest, name: str = "") -> HttpResponse:
    if name not in PAGES:
        raise Http404(name)
    template, context = PAGES[name]
    return render(request, f"gallery/{template}", context())


urlpatterns = [
    path("", include("marelle.foundation.urls")),
    path("", page),
    path("404", lambda request: render(request, "404.html")),
    path("500", lambda request: render(request, "500.html")),
    path("<str:name>", page),
]
