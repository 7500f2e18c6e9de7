"""What Alembic runs to migrate: always in the transaction of the store that is being opened."""

from alembic import context

from sync.state.store import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
