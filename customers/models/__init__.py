"""The tables of this floor, by noun: people and what they bought, and what they permitted."""

from customers.models.people import (
    Category,
    Channel,
    Customer,
    CustomerType,
    FoldedField,
    Involvement,
    Product,
    Purchase,
    refuse_double,
)
from customers.models.permission import (
    Change,
    ConsentEntry,
    ConsentState,
    Evidence,
    LedgerCheck,
    LedgerCheckpoint,
    Purpose,
    PurposeKind,
    Suppression,
    SuppressionReason,
    Wording,
)

__all__ = [
    "Category",
    "Change",
    "Channel",
    "ConsentEntry",
    "ConsentState",
    "Customer",
    "CustomerType",
    "Evidence",
    "FoldedField",
    "Involvement",
    "LedgerCheck",
    "LedgerCheckpoint",
    "Product",
    "Purchase",
    "Purpose",
    "PurposeKind",
    "Suppression",
    "SuppressionReason",
    "Wording",
    "refuse_double",
]
