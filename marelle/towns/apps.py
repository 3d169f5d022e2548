from django.apps import AppConfig


class TownsConfig(AppConfig):
    name = "marelle.towns"
    label = "towns"
