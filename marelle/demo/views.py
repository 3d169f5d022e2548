"""The demo's mailbox, open to whoever plays with it. `marelle.config.urls` serves it only in the demo and in tests."""

from typing import Any

from csp.decorators import csp, csp_update
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from marelle.demo.models import DeliveredMail
from marelle.foundation.typed import typed

PAGE = 20
# An e-mail brings its own style and nothing else: no script, no picture from elsewhere, no form. It sits in a frame.
HTML_POLICY: dict[str, Any] = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-top-navigation-by-user-activation"],
}


@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    words, address = " ".join(typed(request.GET, "q").split()), typed(request.GET, "a").lower()
    mails = DeliveredMail.objects.defer("text", "html")
    if address:
        mails = mails.filter(to_address=address)
    # one by one: subjects have no-break spaces, which nobody types
    for word in words.split():
        mails = mails.filter(Q(to_address__icontains=word) | Q(subject__icontains=word))
    page = Paginator(mails, PAGE).get_page(request.GET.get("page"))
    addresses = (
        DeliveredMail.objects.order_by().values("to_address").annotate(n=Count("id")).order_by("to_address")[:200]
    )
    return render(request, "demo/mailbox.html", {"page": page, "q": words, "address": address, "addresses": addresses})


@never_cache
@require_safe
@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    return render(request, "demo/mail.html", {"mail": get_object_or_404(DeliveredMail, pk=mail_id)})


@never_cache
@require_safe
@xframe_options_sameorigin
@csp(HTML_POLICY)  # type: ignore[arg-type]
def mail_html(request: HttpRequest, mail_id: int) -> HttpResponse:
    """The e-mail's HTML part, alone in its frame; its links open in the whole window."""
    html = get_object_or_404(DeliveredMail, pk=mail_id).html
    return HttpResponse(html.replace("<head>", '<head><base target="_top">', 1))
