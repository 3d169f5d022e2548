from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "marelle.requests"
    label = "requests"
