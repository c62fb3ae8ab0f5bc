"""Arrays of numpy, and tables of pandas and Arrow, as Base64 of numpy's and Arrow's own formats.

The libraries are looked for among the loaded modules to record a value, which is one of theirs only if they are there,
and imported to read one.
"""

import base64
import io
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from orchestrator.core.typed import Plain, UnrecordableError
from orchestrator.core.values import TAG
from orchestrator.exceptions import ValueDecodingError

_MOST_NAMES = 100


def table_to_plain(value: Any, plain: Plain) -> dict[str, object] | None:
    """The tagged JSON of an array or table; None if it is none."""
    library = type(value).__module__.partition(".")[0]
    if library == "numpy":
        return _array_to_plain(value)
    if library == "pandas":
        return _pandas_to_plain(value, plain)
    if library == "pyarrow" and type(value) is sys.modules["pyarrow"].Table:
        return _tagged("arrow", value, _arrow_bytes(value))
    return None


def read_table(tag: str, fields: Mapping[str, Any]) -> Any:
    """The array or table that was recorded so; ValueDecodingError if its library is not here."""
    data = base64.b64decode(fields["value"], validate=True)
    if tag == "ndarray":
        found = _library("numpy").load(io.BytesIO(data), allow_pickle=False)
        return found if found.shape else found[()]
    table = _library("pyarrow.ipc").open_stream(data).read_all()
    if tag == "arrow":
        return table
    _library("pandas")
    frame = table.to_pandas()
    return frame if tag == "dataframe" else frame.iloc[:, 0].rename(fields["name"])


def _array_to_plain(value: Any) -> dict[str, object] | None:
    numpy = sys.modules["numpy"]
    if type(value) is not numpy.ndarray and not isinstance(value, numpy.generic):
        return None
    array, file = numpy.asarray(value), io.BytesIO()
    try:
        numpy.save(file, array, allow_pickle=False)
    except ValueError:
        raise UnrecordableError(f"its dtype is {array.dtype}, of Python objects; return it as a list") from None
    about = {"dtype": str(array.dtype), "shape": list(array.shape)}
    return {TAG: "ndarray", **about, "value": base64.b64encode(file.getvalue()).decode()}


def _pandas_to_plain(value: Any, plain: Plain) -> dict[str, object] | None:
    pandas = sys.modules["pandas"]
    if type(value) is pandas.Series:
        frame = _frame_to_plain(value.to_frame("value"))
        return {**frame, TAG: "series", "name": plain(value.name, ".name")}
    return _frame_to_plain(value) if type(value) is pandas.DataFrame else None


def _frame_to_plain(frame: Any) -> dict[str, object]:
    try:
        arrow = import_module("pyarrow")
    except ImportError:
        raise UnrecordableError("pyarrow writes tables, and is not installed; pip install pyarrow") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about names of columns: those are looked at below
            table = arrow.Table.from_pandas(frame)
            names = table.slice(0, 0).to_pandas().columns
    except (arrow.ArrowException, ValueError, TypeError) as error:
        raise UnrecordableError(
            f"Arrow cannot hold it ({' '.join(str(error).split())}); give each column one type"
        ) from None
    if not names.equals(frame.columns):
        raise UnrecordableError("the names of its columns would come back as others; make them all texts")
    if not _keeps_objects(table, frame):
        raise UnrecordableError("a column of Python objects would come back as others; give each column one type")
    return _tagged("dataframe", table, _arrow_bytes(table), [str(name) for name in frame.columns])


def _keeps_objects(table: Any, frame: Any) -> bool:
    """Whether columns of Python objects come back as they are: Arrow makes arrays of tuples, for one."""
    columns = [number for number, dtype in enumerate(frame.dtypes) if str(dtype) == "object"]
    if not columns:
        return True
    back = table.to_pandas()
    return all(
        _is_same(*pair) for number in columns for pair in zip(frame.iloc[:, number], back.iloc[:, number], strict=True)
    )


def _is_same(one: Any, other: Any) -> bool:
    try:
        return (type(one) is type(other) and bool(one == other)) or (_is_missing(one) and _is_missing(other))
    except (ValueError, TypeError):
        return False


def _is_missing(value: Any) -> bool:
    return value is None or bool(value != value)


def _arrow_bytes(table: Any) -> bytes:
    arrow = import_module("pyarrow")
    codec = "zstd" if arrow.Codec.is_available("zstd") else None
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema, options=arrow.ipc.IpcWriteOptions(compression=codec)) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _tagged(tag: str, table: Any, data: bytes, columns: list[str] | None = None) -> dict[str, object]:
    names = (table.column_names if columns is None else columns)[:_MOST_NAMES]
    return {TAG: tag, "rows": table.num_rows, "columns": names, "value": base64.b64encode(data).decode()}


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise ValueDecodingError(f"a recorded value is read by {package}, which is not installed here") from None
