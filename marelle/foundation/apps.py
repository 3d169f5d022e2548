from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "marelle.foundation"
    label = "foundation"
