import { analyticsErrors } from '../analytics/errors.ts'
import { egressErrors } from '../egress.ts'
import { platformErrors } from '../errors.ts'
import { ledgerErrors } from '../ledger/ledger-errors.ts'
import { defineModule } from '../module.ts'
import { objectErrors } from '../storage/objects/object-store.ts'
import { onlineErrors } from '../storage/online/online-store.ts'
import {
  approve,
  closePendingOperation,
  getPendingOperation,
  listPendingOperations,
  reject,
  runApprovedOperation,
} from './approvals.ts'
import { freeObjects, freeObjectsJob } from './free-objects.ts'
import { cancelJob, getJob, listJobs, retryJob } from './jobs.ts'
import { exportLedger, getEntry, listEntries, proveEntry, traceLineage, verifyLedger } from './ledger.ts'
import { objectRoutes } from './object-routes.ts'
import { recordObject } from './record-object.ts'
import { removeObjects } from './remove-objects.ts'
import { search, searchSources } from './search.ts'
import { sweepAnswers } from './sweep-answers.ts'
import { withdrawObjects } from './withdraw-objects.ts'

/** The kernel's own operations: jobs, objects and the ledger. */
export const kernelModule = defineModule({
  name: 'platform',
  handlers: [
    getJob,
    listJobs,
    cancelJob,
    retryJob,
    listEntries,
    getEntry,
    proveEntry,
    search,
    exportLedger,
    verifyLedger,
    traceLineage,
    recordObject,
    freeObjects,
    withdrawObjects,
    removeObjects,
    listPendingOperations,
    getPendingOperation,
    approve,
    reject,
    closePendingOperation,
  ],
  jobs: [runApprovedOperation, sweepAnswers, freeObjectsJob],
  errors: { ...platformErrors, ...ledgerErrors, ...objectErrors, ...onlineErrors, ...analyticsErrors, ...egressErrors },
  search: searchSources,
  routes: objectRoutes,
})
