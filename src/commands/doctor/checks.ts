import { accessChecks } from './access.ts'
import type { Check } from './check.ts'
import { dataDirectoryChecks } from './data-directory.ts'
import { databaseChecks } from './database.ts'
import { ledgerChecks } from './ledger.ts'
import { machineChecks } from './machine.ts'
import { storeChecks } from './stores.ts'
import { workChecks } from './work.ts'

/** What `pave doctor` looks at, from the ground up: the first thing that is wrong mostly explains those behind it. */
export const checks: readonly Check[] = [
  ...machineChecks,
  ...dataDirectoryChecks,
  ...databaseChecks,
  ...storeChecks,
  ...ledgerChecks,
  ...workChecks,
  ...accessChecks,
]
