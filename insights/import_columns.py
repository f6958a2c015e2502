"""Which column of somebody's file is probably which field, by the names of the columns.

Pure: standard library only. A guess fills in a form that a person looks at, so it may be wrong,
but it is never made from what the cells hold.
"""

import re
from collections.abc import Mapping, Sequence

# Per kind of file and per field: names that shops use, without case, spaces and signs. The name
# of the field itself comes first and is not repeated here.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "customers": {
        "reference": (
            *("customerid", "customernumber", "customer", "klantnummer", "klantid", "klant"),
            *("klantnr", "relatienummer", "id"),
        ),
        "email": ("emailaddress", "mail", "emailadres", "mailadres"),
        "name": ("fullname", "customername", "naam", "klantnaam"),
        "language": ("lang", "locale", "taal"),
        "time_zone": ("tz", "tijdzone"),
        "created_at": (
            "customersince",
            "created",
            "registeredat",
            "klantsinds",
            "sinds",
            "aangemaakt",
        ),
    },
    "products": {
        "sku": (
            *("stockcode", "productid", "productcode", "product", "articlenumber", "artikelnummer"),
            *("artikelcode", "artikel", "id"),
        ),
        "name": ("title", "description", "productname", "naam", "omschrijving", "productnaam"),
        "category": ("productgroup", "group", "categorie", "productgroep"),
        "involvement": ("betrokkenheid",),
    },
    "purchases": {
        "customer": ("customerid", "customernumber", "klantnummer", "klantnr", "klantid", "klant"),
        "product": (
            *("stockcode", "sku", "productid", "productcode", "articlenumber", "artikelnummer"),
            *("artikelcode", "artikel"),
        ),
        "purchased_at": (
            *("invoicedate", "orderdate", "orderedat", "createdat", "date", "timestamp"),
            *("factuurdatum", "besteldatum", "orderdatum", "datum", "wanneer"),
        ),
        "quantity": ("qty", "pieces", "aantal"),
        "price": ("unitprice", "priceperunit", "prijs", "stukprijs"),
        "order": (
            *("orderid", "ordernumber", "invoiceno", "invoice", "ordernummer", "bestelnummer"),
            *("factuurnummer", "bestelling"),
        ),
        "name": ("productname", "description", "productnaam", "omschrijving"),
        "category": ("productgroup", "categorie", "productgroep"),
        "contract_until": ("contractend", "contracttot", "einddatumcontract"),
    },
    "responses": {
        "value": ("score", "rating", "answer", "vote", "antwoord", "cijfer", "waarde", "duim"),
        "answered_at": (
            *("createdat", "submittedat", "respondedat", "date", "timestamp"),
            *("beantwoordop", "ingevuldop", "datum", "wanneer"),
        ),
        "scale": ("schaal",),
        "touchpoint": ("vraagpunt", "source", "bron"),
        "customer": ("customerid", "customernumber", "klantnummer", "klantnr", "klantid", "klant"),
        "product": ("sku", "stockcode", "productid", "productcode", "artikelnummer", "artikel"),
        "category": ("productgroup", "categorie", "productgroep"),
        "channel": ("kanaal",),
        "reason": ("reden",),
        "comment": ("comments", "feedback", "remark", "opmerking", "toelichting"),
        "key": ("responseid", "answerid", "id"),
    },
    "consents": {
        "customer": ("customerid", "customernumber", "klantnummer", "klantnr", "klantid", "klant"),
        "purpose": ("list", "doel", "lijst"),
        "channel": ("kanaal",),
        "given_at": (
            *("consentdate", "optindate", "date", "timestamp", "changedat"),
            *("gegevenop", "datum", "wanneer"),
        ),
        "method": ("how", "hoe", "wijze", "methode", "manier"),
        "source": ("where", "form", "bron", "waar", "formulier"),
        "wording": ("text", "consenttext", "tekst", "toestemmingstekst"),
        "state": ("status", "consent", "optin", "toestemming"),
        "paid": ("betaald",),
        "same_entity": ("zelfdebedrijf",),
        "similar_products": ("soortgelijk", "soortgelijkeproducten"),
        "informed": ("geinformeerd",),
        "way_out_offered": ("optoutoffered", "afmeldengeboden"),
    },
    "contacts": {
        "customer": ("customerid", "customernumber", "klantnummer", "klantnr", "klantid", "klant"),
        "channel": ("kanaal", "medium"),
        "kind": ("type", "soort"),
        "sent_at": (
            *("senton", "sent", "sentdate", "createdat", "date", "timestamp"),
            *("verzondenop", "verstuurdop", "datum", "wanneer"),
        ),
        "category": ("productgroup", "categorie", "productgroep"),
    },
    "reports": {
        "contact": ("contactid", "contactnummer"),
        "outcome": ("status", "event", "result", "resultaat", "uitkomst"),
        "at": (
            *("senton", "sentat", "eventdate", "date", "timestamp"),
            *("verzondenop", "verstuurdop", "datum", "wanneer"),
        ),
    },
}

_SIGNS = re.compile(r"[\W_]+")


def guess_columns(kind: str, fields: Sequence[str], headers: Sequence[str]) -> dict[str, int]:
    """Return the place of the column that probably fills each field; most fields may have none.

    `kind` is a key of NAMES, `fields` are the fields of its importer. A column is guessed once:
    the fields that come first have the first choice.
    """
    places: dict[str, int] = {}
    for place, header in enumerate(headers):
        places.setdefault(_plain(header), place)
    found: dict[str, int] = {}
    for field in fields:
        for name in (_plain(field), *NAMES[kind].get(field, ())):
            if name in places:
                found[field] = places.pop(name)
                break
    return found


def _plain(name: str) -> str:
    return _SIGNS.sub("", name.casefold())
