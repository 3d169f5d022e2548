from django.apps import AppConfig


class CommunicationConfig(AppConfig):
    name = "marelle.communication"
    label = "communication"
