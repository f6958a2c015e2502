"""Uploads that grow no further than a limit, whatever the browser says about their size."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from insights.accounts import may_import, may_manage_consent, roles_of

# How a spreadsheet (.xlsx, .ods) or another zip file begins, and how an old .xls does.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class UploadLimit(FileUploadHandler):
    """Stands before the handlers that keep files, and stops a request that brings too much.

    The limit is for all files of a request together: a form has one, a visitor may send hundreds.

    The fields before the file stay readable, so that the form can say what happened.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Take files only from who may import: this comes before any view has looked."""
        user = getattr(self.request, "user", AnonymousUser())
        roles = roles_of(user)
        if not (may_import(roles) or may_manage_consent(roles)):
            raise StopUpload(connection_reset=True)
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002  (Django's)
        self._size += len(raw_data)
        if self._size > settings.IMPORT_UPLOAD_MAX_BYTES:
            self.request.upload_too_large = True  # type: ignore[union-attr]
            # The rest is read and thrown away: a browser shows no answer before it has sent all.
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers behind this one."""


def too_large(request: HttpRequest) -> bool:
    """Return whether a file of this request was stopped at the limit."""
    return getattr(request, "upload_too_large", False)


def is_workbook(beginning: bytes) -> bool:
    """Return whether a file that begins so is a spreadsheet or a zip file, and so no CSV."""
    return beginning.startswith(_WORKBOOKS)
