import { defineErrors, failure } from '../errors.ts'

export const backupErrors = defineErrors({
  backup_nothing_to_save: {
    status: 404,
    summary: 'There is no database to back up.',
    hint: 'Set PAVE_DATA_DIR to the data directory of the Pave that is meant, or DATABASE_URL.',
  },
  backup_place_in_use: {
    status: 409,
    summary: 'Another backup is being written to the same place.',
    hint: 'Wait for it to end, or choose another directory with --to.',
  },
  backup_passphrase_missing: {
    status: 400,
    summary: 'A backup holds signing keys, and nothing says how they are to be protected.',
    hint: 'Give --passphrase-file FILE or PAVE_BACKUP_PASSPHRASE; --plain-keys keeps them readable, for a place that is protected itself.',
  },
  backup_passphrase_wrong: {
    status: 400,
    summary: 'The keys in the backup cannot be opened with this passphrase.',
    hint: 'Give the passphrase that the backup was made with, by --passphrase-file FILE or PAVE_BACKUP_PASSPHRASE.',
  },
  backup_incomplete: {
    status: 422,
    summary: 'The directory is no finished backup: it was cut short, or is something else.',
    hint: 'Use another one: `pave backup list --to PLACE` shows those that are finished.',
  },
  backup_damaged: {
    status: 422,
    summary: 'A file of the backup is missing, or is not the one that was written.',
    hint: 'Use another backup, or another copy of this one; `pave backup verify` names everything that is wrong with it.',
  },
  backup_too_new: {
    status: 422,
    summary: 'The backup, or the database, was made by a newer Pave than this one.',
    hint: 'Use the version of Pave that the message names, or a newer one.',
  },
  restore_target_not_empty: {
    status: 409,
    summary: 'A backup is restored into a new data directory and an empty database only.',
    hint: 'Choose another PAVE_DATA_DIR, and create an empty database for DATABASE_URL.',
  },
})

export const backupFailure = failure(backupErrors)
