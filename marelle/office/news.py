"""News as agents write it: the form, which posts an agent answers for, the rows of the list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality, Service, Site
from marelle.communication.models import AUTHOR_MOST, BODY_MOST, SUMMARY_MOST, TITLE_MOST, NewsPost
from marelle.communication.services.posts import Content
from marelle.office.queue import sites_of

NOW, LATER = "now", "later"


def posts_for(role: AgentRole) -> "QuerySet[NewsPost]":
    """All of them, or those that speak to the agent's own sites only."""
    sites = sites_of(role)
    posts = NewsPost.objects.all()
    if not sites:
        return posts if role.kind != AgentRole.Kind.SITE else posts.none()
    named = NewsPost.sites.through.objects.filter(newspost=OuterRef("pk"))
    return posts.filter(Exists(named), ~Exists(named.exclude(site__in=sites)))


def may_write(role: AgentRole) -> bool:
    """Whoever directs a site writes for it; without a site there is nobody to write to."""
    return role.kind != AgentRole.Kind.SITE or bool(sites_of(role))


def searched(posts: "QuerySet[NewsPost]", words: str) -> "QuerySet[NewsPost]":
    for word in words.split()[:5]:
        posts = posts.filter(
            Q(title__icontains=word) | Q(summary__icontains=word) | Q(body__icontains=word) | Q(author__icontains=word)
        )
    return posts


def counted(posts: "QuerySet[NewsPost]") -> "QuerySet[NewsPost]":
    """With how many said "J’ai lu" of each, and how many were written to."""
    return posts.annotate(
        readers=Count("readings", distinct=True), told=Count("notices", distinct=True)
    ).prefetch_related("sites", "services")


def _moment(label: Any, help_text: Any = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        help_text=help_text,
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": gettext_lazy("Indiquez un jour et une heure.")},
    )


class NewsForm(forms.Form):
    """What a piece of news says, for whom, when. Moments are typed on the town's clock. `sites`: the only ones that
    the agent answers for (none: all), of which at least one is then named."""

    title = forms.CharField(
        label=gettext_lazy("Titre"),
        max_length=TITLE_MOST,
        help_text=gettext_lazy("Commencez par ce qui change."),
        error_messages={"required": gettext_lazy("Écrivez un titre.")},
    )
    summary = forms.CharField(
        label=gettext_lazy("Résumé sur l’accueil des familles"),
        required=False,
        max_length=SUMMARY_MOST,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Une phrase : ce qu’une famille doit savoir sans ouvrir la page."),
    )
    body = forms.CharField(
        label=gettext_lazy("Texte"),
        required=False,
        max_length=BODY_MOST,
        widget=forms.Textarea(attrs={"rows": 9}),
        help_text=gettext_lazy(
            "Une ligne vide sépare les paragraphes. **gras**, *italique*, - liste, ## titre, [mot](adresse)."
        ),
    )
    author = forms.CharField(
        label=gettext_lazy("Signature"),
        required=False,
        max_length=AUTHOR_MOST,
        help_text=gettext_lazy("Le service ou l’école qui parle."),
    )
    sites = forms.ModelMultipleChoiceField(
        Site.objects.none(),
        label=gettext_lazy("Écoles et centres"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Rien de coché : peu importe où est l’enfant."),
    )
    services = forms.ModelMultipleChoiceField(
        Service.objects.none(),
        label=gettext_lazy("Inscrites à"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Rien de coché : inscrite ou non."),
    )
    when = forms.ChoiceField(
        label=gettext_lazy("Publier"),
        choices=[(NOW, gettext_lazy("Maintenant")), (LATER, gettext_lazy("À une date"))],
        widget=forms.RadioSelect,
        initial=NOW,
        required=False,
    )
    published_at = _moment(gettext_lazy("Le jour et l’heure"))
    unpublish_at = _moment(
        gettext_lazy("Retirer le"), gettext_lazy("Sans date, elle reste en ligne jusqu’à ce que vous la retiriez.")
    )
    by_mail = forms.BooleanField(
        label=gettext_lazy("E-mail aux familles concernées"),
        required=False,
        help_text=gettext_lazy("Une seule fois. Qui n’en veut pas ne reçoit que les urgences."),
    )
    urgent = forms.BooleanField(
        label=gettext_lazy("Bandeau urgent au-dessus de chaque page"),
        required=False,
        help_text=gettext_lazy("Grève, fermeture, alerte. Il reste jusqu’à « J’ai lu », un mois au plus."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        town: Municipality,
        role: AgentRole,
        at: datetime,
        post: NewsPost | None = None,
        **more: Any,
    ) -> None:
        super().__init__(data, **more)
        self.town, self.at, self.post = town, at, post
        self.own = sites_of(role)
        offered = Site.objects.filter(archived_at=None)
        sites, services = self.fields["sites"], self.fields["services"]
        assert isinstance(sites, forms.ModelMultipleChoiceField)
        assert isinstance(services, forms.ModelMultipleChoiceField)
        sites.queryset = offered.filter(pk__in=self.own) if self.own else offered
        services.queryset = Service.objects.filter(archived_at=None)
        if self.own:
            sites.help_text = _("Les familles de vos établissements.")
        self.is_live = post is not None and post.published_at is not None and post.published_at <= at
        if self.is_live:  # once families have read it, it was published when it was
            del self.fields["when"], self.fields["published_at"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("title", "summary", "body", "author"):
            if "\x00" in (data.get(name) or ""):
                data[name] = data[name].replace("\x00", "")
        for name in ("published_at", "unpublish_at"):
            if data.get(name) is not None:
                data[name] = data[name].replace(tzinfo=self.town.tz)
        if self.own and not data.get("sites"):
            self.add_error("sites", _("Cochez au moins un établissement."))
        begins = self.at
        if data.get("when") == LATER and not self.is_live and "published_at" not in self.errors:
            if data.get("published_at") is None:
                self.add_error("published_at", _("Indiquez un jour et une heure."))
            elif data["published_at"] <= self.at:
                self.add_error("published_at", _("Ce moment est passé. Choisissez « Maintenant » ou une autre date."))
            else:
                begins = data["published_at"]
        ends = data.get("unpublish_at")
        if ends is not None and ends <= begins and (self.post is None or ends != self.post.unpublish_at):
            self.add_error("unpublish_at", _("Le retrait vient avant la publication."))
        return data

    def content(self) -> Content:
        """What the agent wrote. Needs a valid form."""
        data = self.cleaned_data
        return Content(
            title=data["title"],
            summary=data["summary"],
            body=data["body"],
            author=data["author"],
            sites=[site.pk for site in data["sites"]],
            services=[service.pk for service in data["services"]],
            urgent=data["urgent"],
            by_mail=data["by_mail"],
            unpublish_at=data["unpublish_at"],
        )

    def published(self) -> datetime:
        """When it is to be published."""
        data = self.cleaned_data
        later = data.get("when") == LATER and data.get("published_at") is not None
        return data["published_at"] if later else self.at


def initial(post: NewsPost, *, town: Municipality, at: datetime) -> dict[str, Any]:
    """The form of a post as it stands; moments on the town's clock."""

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(town.tz).replace(tzinfo=None) if moment is not None else None

    waits = post.published_at is not None and post.published_at > at
    return {
        "title": post.title,
        "summary": post.summary,
        "body": post.body,
        "author": post.author,
        "sites": [site.pk for site in post.sites.all()],
        "services": [service.pk for service in post.services.all()],
        "when": LATER if waits else NOW,
        "published_at": local(post.published_at) if waits else None,
        "unpublish_at": local(post.unpublish_at),
        "by_mail": post.by_mail,
        "urgent": post.urgent,
    }


def chosen(form: NewsForm) -> tuple[list[int], list[int]]:
    """The sites and services ticked, as far as they can be read: for the count, even beside an error."""

    def ids(name: str) -> list[int]:
        field: Any = form.fields[name]
        said: Sequence[Any] = form[name].value() or ()
        offered = set(field.queryset.values_list("pk", flat=True))
        return sorted({int(one) for one in said if str(one).isdecimal() and int(one) in offered})

    return ids("sites"), ids("services")
