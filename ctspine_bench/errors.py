"""The exceptions of ctspine-bench.

Everything raised on purpose is one of these::

    BenchError                          catch this to catch all of them
    ├── InputError (ValueError)         one file, folder or array is not what it should be
    │   ├── FileError                   it cannot be read: missing, truncated, corrupt, too large, another format
    │   ├── LabelError                  its values are not vertebra labels
    │   ├── GeometryError               its voxel grid is broken, or not that of its counterpart
    │   ├── CaseError                   a case is missing, doubled, or its folder is not as expected
    │   ├── ArchiveError                an archive cannot be fetched or unpacked
    │   ├── SubmissionError             a submission or a pull request breaks a rule, or a record is broken
    │   └── BaselineError               a baseline cannot be prepared, trained or run
    └── UsageError (ValueError)         the request itself makes no sense (exit code 2)

An `InputError` names the file, what was expected, what was found and what to do. The command line, the results and
continuous integration all print the same text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

CODES: Final = {
    "E_NOT_FOUND": "no such file or folder",
    "E_FORMAT": "not a NIfTI file",
    "E_TRUNCATED": "the file ends before its data does",
    "E_CORRUPT": "the compressed data fails its checksum or cannot be decoded",
    "E_SURPLUS": "the file goes on after its data",
    "E_TOO_LARGE": "the header promises more voxels than the limit",
    "E_MEMORY": "the machine ran out of memory on this case",
    "E_DTYPE": "a data type that cannot hold labels",
    "E_NDIM": "not a single 3-D volume",
    "E_NAN": "values that are not numbers",
    "E_NOT_INTEGER": "values between the integers",
    "E_LABEL_RANGE": "values that are no vertebra label",
    "E_LABEL_MAP": "the label map is not valid",
    "E_MASK_OVERLAP": "two masks of one folder claim the same voxel",
    "E_SPACING": "zero, negative or contradictory voxel spacing",
    "E_SHEAR": "voxel axes that are not at right angles",
    "E_SHAPE": "another number of voxels than the reference",
    "E_AFFINE": "another position, spacing or direction than the reference",
    "E_MISSING_CASE": "a case of the test set has no prediction",
    "E_MISSING_REFERENCE": "a case of the test set has no reference",
    "E_DUPLICATE_CASE": "two files for the same case",
    "E_NO_CASES": "no label maps in the folder",
    "E_OUTPUT": "an output folder that cannot be used",
    "E_HOST": "an address that is not fetched from",
    "E_FETCH": "the download failed",
    "E_SIZE": "another size than declared",
    "E_DIGEST": "another SHA-256 digest than declared",
    "E_ARCHIVE": "an archive that cannot be read, or is not of the format that its name says",
    "E_MEMBER": "something in an archive that does not belong there",
    "E_LIMIT": "more files or more data than the limits allow",
    "E_CRASH": "the process that read the file died",
    "E_TIMEOUT": "it took longer than the limit",
    "E_YAML": "not the plain YAML that is asked for",
    "E_FIELD": "a field is missing, unknown or not as it should be",
    "E_SLUG": "a folder name that no submission can have",
    "E_PATH": "a file that a submission may not bring or change",
    "E_RESULTS": "result files, which only the scorer writes",
    "E_OWNER": "a submission that belongs to somebody else",
    "E_SEVERAL": "more than one submission in a pull request",
    "E_GIT": "a repository or commit that cannot be read",
    "E_MOVED": "the pull request has changed since it was checked",
    "E_QUOTA": "no private scoring left for this team in this period",
    "E_RECORD": "a submission record that is broken",
    "E_VERSION": "a record from a newer version of ctspine-bench",
    "E_COMPARE": "results that cannot be compared: of other cases, references or an earlier version",
    "E_STANDINGS": "private standings that cannot be used",
    "E_RECIPE": "a recipe of a baseline that is not valid",
    "E_TRAINING_SET": "training cases that are missing, doubled or too many",
    "E_DATASET": "an nnU-Net data set that stands in the way, or is not there yet",
    "E_RUN": "a training that cannot be started or continued",
    "E_PROGRAM": "a program of others that is missing or has failed",
}
"""Every error code with its meaning in a few words; codes are stable and part of the public interface."""


class BenchError(Exception):
    """Base of all exceptions raised on purpose by ctspine-bench."""


class UsageError(BenchError, ValueError):
    """The request makes no sense, whatever the files hold: the command line exits with 2."""


class InputError(BenchError, ValueError):
    """One input is not what it should be.

    Attributes:
        code: A key of `CODES`.
        path: The file or folder at fault; `None` when there is none, as for arrays.
        expected: What a valid input would have had here.
        found: What this one has.
        advice: What to do about it.
    """

    def __init__(self, code: str, path: Path | str | None, *, expected: str, found: str, advice: str) -> None:
        super().__init__(code, path, expected, found, advice)
        self.code = code
        self.path = None if path is None else _printable(str(path))
        self.expected = _printable(expected)
        self.found = _printable(found)
        self.advice = advice

    def __str__(self) -> str:
        where = "" if self.path is None else f"{self.path}: "
        return f"{self.code}: {where}expected {self.expected}; found {self.found}. {self.advice}"

    def lines(self) -> tuple[str, ...]:
        """Return the error with its parts on lines of their own."""
        return (
            f"{self.code}  {self.path or ''}".rstrip(),
            f"  expected  {self.expected}",
            f"  found     {self.found}",
            f"  to do     {self.advice}",
        )

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments need their own way through pickle, which worker processes use.
        return _rebuild, (type(self), self.code, self.path, self.expected, self.found, self.advice)


def _printable(text: str) -> str:
    """Escape what no encoding can write: a file name may hold bytes that are not text."""
    return text.encode("utf-8", "backslashreplace").decode()


def _rebuild(cls: type[InputError], code: str, path: str | None, expected: str, found: str, advice: str) -> InputError:
    return cls(code, path, expected=expected, found=found, advice=advice)


class FileError(InputError):
    """A file cannot be read: missing, truncated, corrupt, too large, or of another format."""


class LabelError(InputError):
    """Values of a label map are not vertebra labels."""


class GeometryError(InputError):
    """A voxel grid is broken, or is not that of its counterpart."""


class CaseError(InputError):
    """A case is missing or doubled, or a folder of cases is not as expected."""


class ArchiveError(InputError):
    """An archive of predictions cannot be fetched or unpacked."""


class SubmissionError(InputError):
    """A submission or a pull request breaks a rule, or the record of a submission is broken."""


class BaselineError(InputError):
    """A baseline cannot be prepared, trained or run."""
