import { defineErrors, failure } from './errors.ts'

/** What can keep Pave from starting on a machine; a full disk is the kernel's own `disk_full`. */
export const startupErrors = defineErrors({
  invalid_configuration: {
    status: 500,
    summary: 'An environment variable holds a value that is none.',
    hint: 'Unset or mend the variable; `docs/reference/configuration.md` lists them all.',
  },
  port_in_use: {
    status: 500,
    summary: 'Another program listens on the port.',
    hint: 'Stop what listens there, or choose another port with PAVE_PORT or PAVE_INFERENCE_PORT.',
  },
  migration_failed: {
    status: 500,
    summary: 'The database could not be brought to the schema of this Pave.',
    hint: 'Nothing of this migration was applied. If the database is newer than this Pave, start the newer version.',
  },
  database_unreachable: {
    status: 503,
    summary: 'No session can be opened with the PostgreSQL of DATABASE_URL.',
    hint: 'Mend what the message names: address, password, certificate; `psql` takes the same URL.',
  },
  database_roles_missing: {
    status: 500,
    summary: 'The roles that Pave works with are missing, and the login of DATABASE_URL may not make them.',
    hint: 'Have an administrator of the server run the statements that Pave prints.',
  },
  database_not_direct: {
    status: 500,
    summary: 'A pooler stands where Pave needs PostgreSQL itself: for migrations, the queue of jobs, and sealing.',
    hint: 'Leave DATABASE_URL at the pooler, and set DATABASE_DIRECT_URL to the server behind it.',
  },
  database_of_another_ledger: {
    status: 409,
    summary: 'The ledger in the database is signed with another key than the one in the data directory.',
    hint: 'Processes that share a database share a data directory too: set PAVE_DATA_DIR to the one that it was made with.',
  },
  restore_unfinished: {
    status: 409,
    summary: 'A backup was being restored here, and the restore was cut short.',
    hint: 'Run `pave restore BACKUP --force` to begin again.',
  },
  data_directory_in_use: {
    status: 409,
    summary: 'Another Pave process holds the data directory.',
    hint: 'Stop that process, or give this one a directory of its own with PAVE_DATA_DIR.',
  },
  data_directory_unwritable: {
    status: 500,
    summary: 'The data directory cannot be created or written.',
    hint: 'Make it writable for the user that runs Pave, or choose another one with PAVE_DATA_DIR.',
  },
  data_directory_untraversable: {
    status: 500,
    summary: 'Pave runs as root, and the unprivileged processes that it starts could not reach the data directory.',
    hint: 'Choose a directory that every user can traverse, or run Pave as an ordinary user.',
  },
  postgres_binaries_missing: {
    status: 500,
    summary: 'The bundled PostgreSQL is not installed, or does not run on this system.',
    hint: 'Install Pave without `--omit=optional`, or name a PostgreSQL 15 or newer with DATABASE_URL.',
  },
  postgres_account_missing: {
    status: 500,
    summary: 'Pave runs as root and finds no unprivileged account for PostgreSQL, which refuses to run as root.',
    hint: 'Create an operating system user named postgres, or run Pave as an ordinary user.',
  },
  postgres_version_mismatch: {
    status: 500,
    summary: 'The database was made by another major version of PostgreSQL than the bundled one.',
    hint: 'Start the version of Pave that made it, or name a PostgreSQL of that version with DATABASE_URL.',
  },
  postgres_start_failed: {
    status: 503,
    summary: 'The bundled PostgreSQL does not start, or does not stay up.',
    hint: 'The last lines of its log are in the message; mend what they name and start Pave again.',
  },
})

export const startupFailure = failure(startupErrors)
