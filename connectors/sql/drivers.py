"""Drivers: which package opens which kind of database, for when it is not installed."""

from typing import Final

from sqlalchemy.engine import URL

from connectors.contract.errors import Unreadable

_INSTALL: Final = {
    "postgresql": "pip install 'trueup[postgres]'",
    "mysql": "pip install pymysql, and begin the url with mysql+pymysql://",
    "mariadb": "pip install pymysql, and begin the url with mariadb+pymysql://",
    "mssql": "pip install pyodbc, with Microsoft's ODBC driver, and begin the url with "
    "mssql+pyodbc://",
    "oracle": "pip install oracledb, and begin the url with oracle+oracledb://",
    "snowflake": "pip install snowflake-sqlalchemy",
    "bigquery": "pip install sqlalchemy-bigquery",
    "redshift": "pip install sqlalchemy-redshift redshift_connector",
    "duckdb": "pip install duckdb-engine",
    "databricks": "pip install databricks-sqlalchemy",
    "hana": "pip install sqlalchemy-hana",
    "db2": "pip install ibm_db_sa",
    "ibm_db_sa": "pip install ibm_db_sa",
    "firebird": "pip install sqlalchemy-firebird",
    "teradatasql": "pip install teradatasqlalchemy",
}


def missing(system: str, url: URL, error: Exception) -> Unreadable:
    """The error for a driver that is not there, with the package that brings it."""
    kind = url.drivername.partition("+")[0]
    package = error.name if isinstance(error, ImportError) else None
    said = f"{system}: the driver for {url.drivername} is missing"
    said += f" (no module {package})" if package else ""
    named = _INSTALL.get(kind)
    if named is None and package:
        named = f"pip install the package that brings {package}"
    return Unreadable(said, hint=named or f"Is {kind} spelled right? SQLAlchemy knows no such one")
