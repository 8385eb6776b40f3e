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
