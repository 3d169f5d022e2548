from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "marelle.office"
    label = "office"
