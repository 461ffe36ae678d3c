"""Triggers by which the database itself refuses to change or delete what is only ever added."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
from collections.abc import Iterable, Mapping

from alembic import op


def keep(table: str, keys: tuple[str, ...]) -> None:
    """Nothing in `table` can be changed, deleted or put in the place of a row with the same key.
    `keys`: each set of columns that makes a row the same row. PostgreSQL needs the function
    clearance_append_only() to be there."""
    if op.get_bind().dialect.name == "sqlite":
        _sqlite(table, keys)
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION clearance_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION clearance_append_only()"
    )


def let_go(table: str) -> None:
    """Takes down what `keep` put up."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    names = ("no_update", "no_delete", "no_replace") if sqlite else ("append_only", "no_truncate")
    for name in names:
        op.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))


Rules = Mapping[str, tuple[str, str]]


def put_rules(rules: Rules, name: str = "rule") -> None:
    """For each table the code of its refusal and what must hold of every new row, as SQL over NEW:
    the database refuses a row of which it does not hold. `name` tells several rules of one table
    apart."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, (code, rule) in rules.items():
        said = f"clearance: {code}: the rule for {table} does not hold"
        if sqlite:
            op.execute(
                f"CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} "
                f"WHEN NOT COALESCE(({rule}), FALSE) BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
            continue
        op.execute(
            f"CREATE FUNCTION clearance_{table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF NOT COALESCE(({rule}), FALSE) THEN RAISE EXCEPTION '{said}'; END IF; "
            "RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION clearance_{table}_{name}()"
        )


def drop_rules(tables: Iterable[str], name: str = "rule") -> None:
    """Takes down what `put_rules` put up."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in tables:
        op.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION clearance_{table}_{name}()")


def _sqlite(table: str, keys: tuple[str, ...]) -> None:
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'clearance: {table} is append-only'); END"
        )
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {_there(table, keys)} "
        f"BEGIN SELECT RAISE(ABORT, 'clearance: storage_conflict: {table} is append-only, and "
        "this row is there already'); END"
    )


def _there(table: str, keys: tuple[str, ...]) -> str:
    """True where a row of NEW's keys exists: INSERT OR REPLACE would delete it, and SQLite fires
    no delete trigger for that. The row's number is a key too, where no column shows it."""
    same = [f"({key}) = ({_new(key)})" for key in keys]
    if _number(table) not in keys:
        same.append("rowid = NEW.rowid")
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in same)


def _number(table: str) -> str | None:
    """The column that is another name for the row's number: the only key, and INTEGER."""
    columns = op.get_bind().exec_driver_sql(f"PRAGMA table_info({table})").all()
    keys = [(column[1], column[2]) for column in columns if column[5]]
    return keys[0][0] if len(keys) == 1 and keys[0][1] == "INTEGER" else None


def _new(key: str) -> str:
    return ", ".join(f"NEW.{column}" for column in key.split(", "))
