"""What an upload may cost the server's disk while it comes in."""

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class UploadLimit(FileUploadHandler):
    """Drops a file once it passes MAX_UPLOAD_BYTES; the rest of it is read and thrown away, and the form says so.

    Stands before Django's own handlers, which keep small files in memory and stream larger ones to disk.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.MAX_UPLOAD_BYTES:
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leaves the file to the handlers that come after."""
