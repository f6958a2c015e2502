from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from customers import triggers  # noqa: F401, PLC0415  (registers its check)
