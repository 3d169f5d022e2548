from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("marelle.foundation.urls")),
    path("", include("marelle.accounts.urls")),
    path("", include("marelle.families.urls")),
    path("agents/", include("marelle.office.urls")),
    path("", include("marelle.portal.urls")),
]
if settings.DEMO or settings.MODE == "test":
    urlpatterns.append(path("", include("marelle.demo.urls")))
