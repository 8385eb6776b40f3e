import { createKernel } from './0001-create-kernel.ts'
import { nameTheTicketOfAJob } from './0002-name-the-ticket-of-a-job.ts'
import { numberTheEpochsOfTheLedger } from './0003-number-the-epochs-of-the-ledger.ts'
import { nameTheSignerOfTheLedger } from './0004-name-the-signer-of-the-ledger.ts'
import { findEntriesByActor } from './0005-find-entries-by-actor.ts'
import { releaseObjects } from './0006-release-objects.ts'

export const kernelMigrations = {
  '0001-create-kernel': createKernel,
  '0002-name-the-ticket-of-a-job': nameTheTicketOfAJob,
  '0003-number-the-epochs-of-the-ledger': numberTheEpochsOfTheLedger,
  '0004-name-the-signer-of-the-ledger': nameTheSignerOfTheLedger,
  '0005-find-entries-by-actor': findEntriesByActor,
  '0006-release-objects': releaseObjects,
}
