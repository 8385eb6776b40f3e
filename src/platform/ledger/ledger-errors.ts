import { defineErrors, failure } from '../errors.ts'

export const ledgerErrors = defineErrors({
  ledger_forked: {
    status: 500,
    summary: 'The ledger in the database is not a continuation of what was sealed or signed before.',
    hint: 'The database was rolled back or altered by other means than `pave restore`. Run `pave ledger verify` and restore the newest backup; sealing stops until then. To accept the loss, move the checkpoints file away and restart.',
  },
  ledger_key_missing: {
    status: 500,
    summary: 'The private key that signed the checkpoints is gone while its public key is still there.',
    hint: 'Restore keys/ledger.key from a backup. To start a new series of checkpoints, move ledger.pub and the checkpoints file away together.',
  },
  ledger_key_invalid: {
    status: 422,
    summary: 'The key is not an Ed25519 key in the expected format.',
    hint: 'A public key is one line `name+hash+base64` as in keys/ledger.pub; the private key is a PEM file.',
  },
  checkpoint_invalid: {
    status: 422,
    summary: 'The checkpoint is malformed, or its signature does not verify with the given key.',
    hint: 'Compare it with another copy of the checkpoints file, and check that ledger.pub belongs to this ledger.',
  },
  entry_not_found: {
    status: 404,
    summary: 'The ledger of this workspace has no such entry.',
    hint: 'List entries with `pave list-entries`.',
  },
  entry_not_sealed: {
    status: 409,
    summary: 'The entry has no place in the sealed ledger yet.',
    hint: 'Entries are sealed within about a second: try again in a moment.',
  },
  proof_invalid: {
    status: 422,
    summary: 'The proof does not show that its entry is in the ledger.',
    hint: 'The file was altered, or is of another ledger: save the proof again from the entry, and compare the two.',
  },
  leaf_not_found: {
    status: 404,
    summary: 'The ledger has no such leaf at this size.',
    hint: 'Leaves count from 0; an entry gets its leaf within about a second of its commit.',
  },
})

export const ledgerFailure = failure(ledgerErrors)
