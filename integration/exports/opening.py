"""Which kind of export is at a place."""

from integration.exports.changes import Export
from integration.exports.csv_folders import CsvExport
from integration.exports.delta import DeltaExport, delta_folder
from integration.exports.files import open_files
from integration.exports.parquet import ParquetExport, parquet_files


def open_export(place: str, table: str) -> Export:
    """The export of a table in a folder or at a URL. Raises what opening the files raises."""
    files = open_files(place)
    folder = delta_folder(files, table)
    if folder is not None:
        return DeltaExport(*files.delta(folder), files.place)
    if names := parquet_files(files, table):
        return ParquetExport(files, names)
    return CsvExport(files)
