"""Tells, as JSON, the schema of the database that this version of mlflow makes on SQLite: its statements in an order in
which they can be run, its revision, and the rows that are there from the beginning."""

import json
import re
import sqlite3
import sys

import mlflow
from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine


def schema(file):
    _initialize_tables(create_sqlalchemy_engine(f"sqlite:///{file}"))
    database = sqlite3.connect(file)
    found = database.execute("select type, name, sql from sqlite_master where sql is not null").fetchall()
    order = {"table": 0, "index": 1, "trigger": 2}
    statements = [re.sub(r"\s+", " ", sql) for kind, name, sql in sorted(found, key=lambda one: (order[one[0]], one[1]))]
    [(revision,)] = database.execute("select version_num from alembic_version")
    return {"version": mlflow.__version__, "revision": revision, "statements": statements}


print(json.dumps(schema(sys.argv[1])))
