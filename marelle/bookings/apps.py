from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "marelle.bookings"
    label = "bookings"
