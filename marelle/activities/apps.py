from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    name = "marelle.activities"
    label = "activities"
