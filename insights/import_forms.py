"""Forms of the import pages: the upload, and which column is what."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.utils import flatatt
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.csv_rows import UnreadableFile
from customers.mapping import Mapping as FieldMapping
from insights import importing
from insights.import_columns import guess_columns
from insights.import_words import CONSTANTS, CREATES, TEXTS
from insights.importing import IMPORTERS, Plan
from insights.models import ImportJob
from insights.uploads import is_workbook

# A name of a column is shown with at most 60 characters.
HEADER_CHARS = 60

# Room for so many values that are read differently; a list longer than that belongs in the file.
MOST_RECODES = 50
EMPTY_RECODES = 3

# What is typed for every row: a name, or the text that everybody read.
CONSTANT_CHARS = 100
TEXT_CHARS = 2_000

MOMENTS = frozenset({"created_at", "purchased_at", "answered_at", "given_at", "sent_at", "at"})


TOO_LARGE = _(
    "The file is larger than %(size)s. Split it, pack it as .gz, or let somebody with access to "
    "the server import it: manage.py import_customers and its neighbours."
)


class LongSelect(forms.Select):
    """A select of hundreds of options, written in one go: Django renders a template for each."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,  # noqa: ARG002  (Django's)
    ) -> SafeString:
        chosen = "" if value is None else str(value)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (key, flatatt({"selected": str(key) == chosen}), label)
                for key, label in self.choices
            ),
        )
        every = self.build_attrs(self.attrs, {"name": name, **(attrs or {})})
        return format_html("<select{}>{}</select>", flatatt(every), options)


class UploadForm(forms.Form):
    """A file, and what is in it."""

    kind = forms.ChoiceField(
        label=_("What is in the file"),
        help_text=_("Products and customers first; the others point to them."),
        error_messages={"required": _("Choose what is in the file.")},
    )
    file = forms.FileField(
        label=_("File"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.gz,text/csv"})
    )

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.attrs = {"novalidate": ""}
    helper.add_input(Submit("upload", _("Upload")))

    def __init__(
        self, *args: Any, kinds: Sequence[ImportJob.Kind], too_large: bool = False
    ) -> None:
        super().__init__(*args)
        choices = [("", _("Choose")), *((kind.value, kind.label) for kind in kinds)]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        most = {"size": in_words(settings.IMPORT_UPLOAD_MAX_BYTES)}
        file = self.fields["file"]
        file.help_text = gettext("CSV, also packed as .gz. At most %(size)s.") % most
        file.error_messages["required"] = gettext("Choose a file.")
        if too_large:
            file.error_messages["required"] = TOO_LARGE % most

    def clean_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["file"]
        if is_workbook(upload.read(8)):
            raise ValidationError(
                _(
                    "This is a spreadsheet or a zip file, and rows are read from CSV. Choose "
                    "Save As, then CSV UTF-8, and upload that file."
                )
            )
        try:
            importing.check_upload(upload)
        except UnreadableFile as error:
            raise ValidationError(unreadable(error.line, error.reason)) from None
        return upload


def in_words(size: int) -> str:
    """Return a number of bytes as 200 MB or, where that is no whole number, as 1.5 MB."""
    megabytes, rest = divmod(size, 1024**2)
    return f"{megabytes} MB" if megabytes and not rest else filesizeformat(size)


def unreadable(line: int, reason: str) -> str:
    """Say where a file breaks; the reason is in the words of the reader, which are English."""
    before = gettext("The file cannot be read from line %(line)s on:") % {"line": line}
    return format_html('{} <span lang="en">{}</span>', before, f"{reason}.")


class RecodeForm(forms.Form):
    """One value that is read as another one; a row without a field says nothing."""

    field = forms.ChoiceField(required=False)
    old = forms.CharField(required=False, max_length=200)
    new = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, names: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = [("", "–"), *names]  # type: ignore[attr-defined]
        for name, label in (
            ("field", gettext("Field")),
            ("old", gettext("In the file")),
            ("new", gettext("Read as")),
        ):
            self.fields[name].label = label
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (cleaned.get("old") or cleaned.get("new")) and not cleaned.get("field"):
            self.add_error("field", _("Choose the field that this is about."))
        return cleaned


class BaseRecodes(forms.BaseFormSet):  # type: ignore[type-arg]
    def changes(self, mapped: Collection[str]) -> dict[str, dict[str, str]]:
        """Return {field: {old: new}}; what makes no sense is noted as an error of its row."""
        found: dict[str, dict[str, str]] = {}
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            name, old = cleaned.get("field"), cleaned.get("old", "")
            if not name:
                continue
            if name not in mapped:
                form.add_error("field", _("No column fills this field. Choose its column above."))
            elif old in found.setdefault(name, {}):
                form.add_error("old", _("This value is there twice. Leave one of them out."))
            else:
                found[name][old] = cleaned.get("new", "")
        return found


Recodes = forms.formset_factory(
    RecodeForm,
    formset=BaseRecodes,
    extra=EMPTY_RECODES,
    max_num=MOST_RECODES,
    absolute_max=MOST_RECODES,
    validate_max=True,
)


@dataclass(frozen=True)
class Choice:
    """How one field is filled: by a column, or where that helps by one value for every row."""

    column: forms.BoundField
    constant: forms.BoundField | None


@dataclass(frozen=True)
class Problem:
    """An error with the control it belongs to, for the summary on top."""

    control: str
    label: str
    text: str


class MappingForm(forms.Form):
    """Which column fills which field, and how the cells are read.

    A column is chosen by its place, because its name may hold anything. After is_valid(), `plan`
    is what was chosen.
    """

    plan: Plan

    def __init__(
        self,
        data: Any,
        *,
        kind: str,
        headers: Sequence[str],
        plan: Plan | None,
        touchpoints: Sequence[str] = (),
    ) -> None:
        super().__init__(data, initial=_initial(kind, headers, plan))
        self.kind = kind
        self.headers = headers
        self.touchpoints = touchpoints
        self.importer = IMPORTERS[kind]
        for name in self.importer.fields:
            self._add_choice(name)
        self._add_reading()
        self.recodes = Recodes(
            data,
            initial=_recode_rows(plan),
            prefix="recode",
            form_kwargs={"names": [(name, self.label_of(name)) for name in self.importer.fields]},
        )

    def label_of(self, name: str) -> str:
        return str(TEXTS[self.kind][name][0])

    def choices(self) -> Iterator[Choice]:
        for name in self.importer.fields:
            constant = f"constant_{name}"
            yield Choice(
                self[f"column_{name}"], self[constant] if constant in self.fields else None
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        columns = {
            name: self.headers[int(place)]
            for name in self.importer.fields
            if (place := cleaned.get(f"column_{name}"))
        }
        constants = {
            name: value
            for name in CONSTANTS[self.kind]
            if (value := cleaned.get(f"constant_{name}"))
        }
        self._check(columns, constants)
        recodes = self.recodes.changes(columns) if self.recodes.is_valid() else {}  # type: ignore[attr-defined]
        self.plan = Plan(
            FieldMapping(columns, constants, recodes),
            cleaned.get("time_zone") or settings.TIME_ZONE,
            cleaned.get("create_missing", False),
        )
        return cleaned

    def is_valid(self) -> bool:
        # Both, because each notes its own errors.
        return all([super().is_valid(), self.recodes.is_valid()])

    def problems(self) -> list[Problem]:
        """Return every error with where it is, in the order of the page."""
        found = []
        for form in (self, *self.recodes.forms):
            for name, errors in form.errors.items():
                bound = form[name]
                label = getattr(bound.field, "plain_label", bound.label)
                found += [Problem(bound.id_for_label, label, str(error)) for error in errors]
        return found

    def _check(self, columns: Mapping[str, str], constants: Mapping[str, str]) -> None:
        for name in self.importer.required:
            if name not in columns and name not in constants:
                choices = name in CONSTANTS[self.kind]
                self.add_error(
                    f"column_{name}",
                    _("Choose its column, or one value for every row.")
                    if choices
                    else _("Choose the column that holds this; no row can do without."),
                )
        for name in columns.keys() & constants.keys():
            self.add_error(
                f"constant_{name}", _("Choose a column or one value for every row, not both.")
            )

    def _add_choice(self, name: str) -> None:
        label, help_text = TEXTS[self.kind][name]
        required = name in self.importer.required
        shown = gettext("%(field)s (required)") % {"field": label} if required else label
        field = forms.ChoiceField(
            label=format_html('{} <code class="ci-key">{}</code>', shown, name),
            required=False,
            help_text=help_text,
            choices=[("", _("Not in this file")), *_numbered(self.headers)],
            widget=LongSelect,
        )
        field.plain_label = str(label)  # type: ignore[attr-defined]
        self.fields[f"column_{name}"] = field
        if name in CONSTANTS[self.kind]:
            self.fields[f"constant_{name}"] = self._constant(name, str(label))

    def _constant(self, name: str, label: str) -> forms.Field:
        found = CONSTANTS[self.kind][name]
        options = found() if callable(found) else found
        text = gettext("%(field)s: the same for every row") % {"field": label}
        if options:
            return forms.ChoiceField(
                label=text, required=False, choices=[("", _("Differs per row")), *options]
            )
        most = TEXT_CHARS if name == "wording" else CONSTANT_CHARS
        field = forms.CharField(label=text, required=False, max_length=most)
        if name == "touchpoint":
            field.widget.attrs["list"] = "touchpoints"
        return field

    def _add_reading(self) -> None:
        if MOMENTS & set(self.importer.fields):
            self.fields["time_zone"] = forms.ChoiceField(
                label=_("Time zone of the file"),
                required=False,
                choices=_zones(),
                widget=LongSelect,
                help_text=_("For times that do not name one themselves."),
            )
        if self.kind in CREATES:
            self.fields["create_missing"] = forms.BooleanField(
                label=_("Create what is missing"),
                required=False,
                help_text=CREATES[self.kind],
            )


def _numbered(headers: Sequence[str]) -> list[tuple[str, str]]:
    return [
        (str(place), header if len(header) <= HEADER_CHARS else f"{header[: HEADER_CHARS - 1]}…")
        for place, header in enumerate(headers)
    ]


def _initial(kind: str, headers: Sequence[str], plan: Plan | None) -> dict[str, Any]:
    """Return what the form shows first: what was chosen before, else a guess."""
    if plan is None:
        guessed = guess_columns(kind, IMPORTERS[kind].fields, headers)
        places = {f"column_{name}": str(place) for name, place in guessed.items()}
        return {**places, "time_zone": settings.TIME_ZONE}
    chosen = plan.mapping.fields.items()
    return {
        **{f"column_{name}": str(headers.index(header)) for name, header in chosen},
        **{f"constant_{name}": value for name, value in plan.mapping.constants.items()},
        "time_zone": plan.time_zone,
        "create_missing": plan.create_missing,
    }


def _recode_rows(plan: Plan | None) -> list[dict[str, str]]:
    recodes = plan.mapping.recodes if plan else {}
    return [
        {"field": name, "old": old, "new": new}
        for name, changes in recodes.items()
        for old, new in changes.items()
    ]


@cache
def _zones() -> list[tuple[str, str]]:
    """Return the zones that places are named after, and UTC."""
    named = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    return [(zone, zone) for zone in sorted(named | {"UTC", settings.TIME_ZONE})]
