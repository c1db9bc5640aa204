"""Contratações as the tables of a data team: what pandas, Arrow and Spark make of the API's records."""

import datetime

import pyarrow as pa


def typed(row) -> dict:
    """Times as times, as a data team keeps them."""
    return {name: datetime.datetime.fromisoformat(value) if name.startswith("data") and isinstance(value, str)
            else [typed(inner) for inner in value] if isinstance(value, list)
            else typed(value) if isinstance(value, dict) else value for name, value in row.items()}


def flat(row, prefix="") -> dict:
    """As pandas.json_normalize: objects become columns with a dot; null ones keep their bare name."""
    columns = {}
    for name, value in row.items():
        columns.update(flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value})
    return columns


def table_of(records) -> pa.Table:
    """A table with every column that any record has."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return pa.table({name: pa.array([record.get(name) for record in records]) for name in names})


def with_doubles(table) -> pa.Table:
    """As pandas has them: amounts, and integers that are null somewhere, are doubles."""
    def double(column):
        is_double = pa.types.is_decimal(column.type) or (pa.types.is_integer(column.type) and column.null_count > 0)
        if not is_double:
            return column
        values = [None if value is None else float(value) for value in column.to_pylist()] # arrow's cast is not exact
        return pa.array(values, pa.float64())

    return pa.table({name: double(table[name]) for name in table.column_names})


def widened(table) -> pa.Table:
    """As pandas after a merge that left gaps: every number a double."""
    def double(column):
        is_number = pa.types.is_decimal(column.type) or pa.types.is_integer(column.type)
        values = [None if value is None else float(value) for value in column.to_pylist()] if is_number else None
        return column if values is None else pa.array(values, pa.float64())

    return pa.table({name: double(table[name]) for name in table.column_names})
