"""What can go wrong, as one root and few subclasses; each says what to do next and how the CLI exits."""

from __future__ import annotations

from typing import ClassVar


class RowvecError(Exception):
    """Something went wrong; run the command again with --debug to see where."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        """Take what happened, in one line, and what to do about it; without either, the class's docstring speaks."""
        super().__init__(message or (self.__doc__ or "").strip())
        self.hint = hint

    @property
    def with_hint(self) -> str:
        """The message, and in brackets what to do about it: for a log line."""
        return f"{self} ({self.hint})" if self.hint else str(self)


def one_line(error: BaseException) -> str:
    """Return an error's message on one line, or its type's name when it has none."""
    return " ".join(str(error).split()) or type(error).__name__


class SettingsError(RowvecError):
    """A setting or an argument is wrong; correct it and run the command again."""

    exit_code: ClassVar[int] = 2


class ServerUnreachable(RowvecError):
    """No PostgreSQL server can be reached; check ROWVEC_DATABASE_URL and that the server runs."""

    exit_code: ClassVar[int] = 3
    retryable: ClassVar[bool] = True


class DatabaseError(RowvecError):
    """The server refused a statement; its message says why."""


class WaitTimeout(DatabaseError):
    """A source was not caught up in time; its message says what still waits."""


class ProtocolMismatch(RowvecError):
    """The daemon and the schema are of versions that must not work together; upgrade rowvec or run `rowvec migrate`."""


class SourceError(RowvecError):
    """A source cannot be watched as asked; its message says what to change."""


class ArtefactError(RowvecError):
    """A model's folder is missing, broken or not what its fingerprint says; export the model again."""


class ModelMismatch(RowvecError):
    """Another model than the one that a source is bound to; vectors of two models are never mixed."""


class EncodingError(RowvecError):
    """The model failed on a text, or gave a vector that is not finite."""


class ExportRefused(RowvecError):
    """This model cannot be exported with the same numbers; the message says why and what to do."""
