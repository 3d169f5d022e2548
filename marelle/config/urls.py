from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("marelle.foundation.urls")),
    path("", include("marelle.accounts.urls")),
    path("", include("marelle.families.urls")),
    path("", include("marelle.documents.urls")),
    path("", include("marelle.attestations.urls")),
    path("agents/", include("marelle.office.urls")),
    path("", include("marelle.portal.urls")),
]
if settings.DEMO or settings.MODE == "test":
    urlpatterns.append(path("", include("marelle.demo.urls")))

handler400 = "marelle.foundation.errors.bad_request"
handler403 = "marelle.foundation.errors.forbidden"
handler404 = "marelle.foundation.errors.not_found"
handler500 = "marelle.foundation.errors.server_error"
