"""The tables of this floor, by noun.

People and what they bought, what they permitted, where they are asked, letters to them, what they
ask about their data, and other systems.
"""

from customers.models.access import ApiKey
from customers.models.asking import AskTally, ConsentForm, WordingDraft
from customers.models.letters import Letter, LetterKind, LetterState, LinkAction, MailedLink
from customers.models.people import (
    AddressHashField,
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
    Decision,
    Evidence,
    LedgerCheck,
    LedgerCheckpoint,
    Purpose,
    PurposeKind,
    Suppression,
    SuppressionReason,
    Wording,
    current_scope,
)
from customers.models.rights import (
    AccessKind,
    AccessLog,
    CustomerMerge,
    DataRequest,
    Erasure,
    Invalidation,
    RequestKind,
    RequestSource,
    RequestState,
)

__all__ = [
    "AccessKind",
    "AccessLog",
    "AddressHashField",
    "ApiKey",
    "AskTally",
    "Category",
    "Change",
    "Channel",
    "ConsentEntry",
    "ConsentForm",
    "ConsentState",
    "Customer",
    "CustomerMerge",
    "CustomerType",
    "DataRequest",
    "Decision",
    "Erasure",
    "Evidence",
    "FoldedField",
    "Invalidation",
    "Involvement",
    "LedgerCheck",
    "LedgerCheckpoint",
    "Letter",
    "LetterKind",
    "LetterState",
    "LinkAction",
    "MailedLink",
    "Product",
    "Purchase",
    "Purpose",
    "PurposeKind",
    "RequestKind",
    "RequestSource",
    "RequestState",
    "Suppression",
    "SuppressionReason",
    "Wording",
    "WordingDraft",
    "current_scope",
    "refuse_double",
]
