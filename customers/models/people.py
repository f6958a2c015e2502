"""Who the customers are and what they bought."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.addresses import address_hash, address_hashes
from customers.cells import folded


class CustomerType(models.TextChoices):
    """How somebody buys; the rule is in lifecycle.py."""

    CONTRACT = "contract", _("Contract")
    REGULAR = "regular", _("Regular")
    OCCASIONAL = "occasional", _("Occasional")
    ONE_TIME = "one_time", _("One-time")
    PROSPECT = "prospect", _("Prospect")
    LAPSED = "lapsed", _("Lapsed")


class Channel(models.TextChoices):
    """How a contact or an answer travels."""

    EMAIL = "email", _("E-mail")
    WEB = "web", _("Web page")
    PHONE = "phone", _("Phone")
    SMS = "sms", _("Text message")
    AD = "ad", _("Advertisement")


class Involvement(models.TextChoices):
    """How much a purchase in a category matters to the one who buys."""

    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")


class FoldedField(models.CharField):
    """Another field in lower case: what differs only in case is the same to a unique constraint.

    Folded here and not by LOWER() of the database, because SQLite lowers only A to Z.
    """

    def __init__(self, *, of: str, **options: Any) -> None:
        super().__init__(editable=False, unique=True, **options)
        self.of = of

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        del options["editable"], options["unique"]
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002
        value = folded(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value


def refuse_double(row: models.Model, field: str) -> None:
    """Refuse a row that is there already but for the case, at the field that people see."""
    same = type(row)._default_manager.filter(**{f"{field}_folded": folded(getattr(row, field))})
    if same.exclude(pk=row.pk).exists():
        raise ValidationError({field: row.unique_error_message(type(row), (field,))})


class AddressHashField(models.CharField):
    """The keyed hash of an address, under the n-th of ADDRESS_KEYS; empty without either.

    Customers are found by it, and the ledger's hashes compared with it, for many at once. Two of
    them stand beside an address: while a new key comes in, the ledger still has the old one's.
    """

    def __init__(self, *, of: str, key: int, **options: Any) -> None:
        super().__init__(editable=False, blank=True, **{"max_length": 64} | options)
        self.of, self.key = of, key

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        del options["editable"], options["blank"]
        return name, path, args, {**options, "of": self.of, "key": self.key}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002
        value = address_hash(getattr(model_instance, self.of), self.key)
        setattr(model_instance, self.attname, value)
        return value


class CustomerQuerySet(models.QuerySet["Customer"]):
    def with_address(self, email: str) -> "CustomerQuerySet":
        """Keep who has an address now, in whatever case; nobody has an empty one."""
        return self.filter(address_hash__in=address_hashes(email))


class Customer(models.Model):
    """One person, known by the shop's own reference."""

    reference = models.CharField(_("reference"), max_length=100, unique=True)
    email = models.EmailField(_("e-mail"), blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    created_at = models.DateTimeField(_("customer since"))
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)
    # Kept by whoever writes the address past save(): see services.update_customers.
    address_hash = AddressHashField(of="email", key=0, db_index=True)
    older_hash = AddressHashField(of="email", key=1)
    # The address that was shown to be theirs, by a link that came back: another one is not.
    verified_hash = models.CharField(max_length=64, blank=True, editable=False)
    # At the customer's own request nothing is done with what is stored.
    restricted_at = models.DateTimeField(_("restricted since"), null=True, blank=True)
    # The customer's own wishes: no marketing until then, and at most so many messages a month.
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    monthly_limit = models.PositiveSmallIntegerField(
        _("at most so many messages a month"), null=True, blank=True
    )
    customer_type = models.CharField(
        _("customer type"),
        max_length=20,
        choices=CustomerType,
        default=CustomerType.PROSPECT,
    )
    # Since when the rule gives a lower type than the stored one; seven days later it is taken.
    lower_type_since = models.DateField(null=True, blank=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(reference=""), name="customer_reference_not_empty"
            ),
            models.CheckConstraint(
                condition=models.Q(customer_type__in=CustomerType.values),
                name="customer_type_known",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True) | models.Q(email="", name=""),
                name="customer_erased_is_empty",
            ),
            models.CheckConstraint(
                condition=models.Q(monthly_limit__isnull=True) | models.Q(monthly_limit__gte=1),
                name="customer_limit_is_a_number",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def keep_hashes(self) -> None:
        """Bring the hashes in line with the address, for writers that go past save()."""
        self.address_hash = address_hash(self.email)
        self.older_hash = address_hash(self.email, 1)

    @property
    def is_verified(self) -> bool:
        """Whether the present address was shown to be theirs."""
        return bool(self.verified_hash) and self.verified_hash in address_hashes(self.email)


class Category(models.Model):
    """A group of products that buyers care about equally much."""

    name = models.CharField(_("name"), max_length=100)
    name_folded = FoldedField(of="name", max_length=200)
    # Where it belongs; while it is not rated itself it follows what it belongs to.
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    involvement = models.CharField(_("involvement"), max_length=10, choices=Involvement, blank=True)
    rated_how = models.CharField(_("rated how"), max_length=20, blank=True)
    rated_at = models.DateTimeField(_("rated at"), null=True, blank=True)
    # Answers from 1 to 7, where a manager rated it: see involvement.py.
    importance = models.PositiveSmallIntegerField(null=True, blank=True)
    risk = models.PositiveSmallIntegerField(null=True, blank=True)
    interest = models.PositiveSmallIntegerField(null=True, blank=True)
    rated_by = models.CharField(_("rated by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="category_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(involvement__in=["", *Involvement.values]),
                name="category_involvement_known",
            ),
            models.CheckConstraint(
                condition=models.Q(involvement="") | models.Q(rated_at__isnull=False),
                name="category_rating_has_a_date",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    importance__isnull=True, risk__isnull=True, interest__isnull=True
                )
                | models.Q(
                    importance__isnull=False,
                    risk__isnull=False,
                    interest__isnull=False,
                    importance__range=(1, 7),
                    risk__range=(1, 7),
                    interest__range=(1, 7),
                ),
                name="category_rated_on_all_three",
            ),
            models.CheckConstraint(
                condition=models.Q(parent=None) | ~models.Q(parent=models.F("id")),
                name="category_not_its_own_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        refuse_double(self, "name")


class Product(models.Model):
    """Something the shop sells. Codes that differ only in case are one product."""

    sku = models.CharField(_("product code"), max_length=100)
    sku_folded = FoldedField(of="sku", max_length=200)
    name = models.CharField(_("name"), max_length=200, blank=True)
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("category"),
    )

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.CheckConstraint(condition=~models.Q(sku=""), name="product_sku_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name or self.sku

    def clean(self) -> None:
        refuse_double(self, "sku")


class PurchaseQuerySet(models.QuerySet["Purchase"]):
    def counting(self) -> "PurchaseQuerySet":
        """Keep what makes a purchase day: something was bought, and it was not given away."""
        return self.filter(
            # A negative quantity is a return.
            models.Q(quantity__gt=0),
            # A price of 0 or below is a sample or bookkeeping; one not known is a purchase.
            models.Q(price__isnull=True) | models.Q(price__gt=0),
        )


class Purchase(models.Model):
    """One line of an order; a negative quantity is a return."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="purchases")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="purchases")
    purchased_at = models.DateTimeField(_("purchased at"))
    quantity = models.IntegerField(_("quantity"), default=1)
    price = models.DecimalField(
        _("price of one"), max_digits=14, decimal_places=4, null=True, blank=True
    )
    order = models.CharField(_("order"), max_length=100, blank=True)
    contract_until = models.DateField(_("contract until"), null=True, blank=True)
    # Made from the row's own facts and how often those stood in the file, so that a second
    # import of the same file adds nothing and real double lines stay two.
    key = models.CharField(max_length=64, unique=True, editable=False)

    objects = PurchaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        indexes = [models.Index(fields=["customer", "purchased_at"], name="purchase_by_customer")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(quantity=0), name="purchase_not_of_nothing"),
            models.CheckConstraint(condition=~models.Q(key=""), name="purchase_key_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id} ({self.purchased_at:%Y-%m-%d})"
