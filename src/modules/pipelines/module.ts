import { defineModule } from '#platform/module.ts'
import { cancelRun } from './cancel-run.ts'
import { errors } from './contract.ts'
import { finishRun } from './finish-run.ts'
import { finishStep } from './finish-step.ts'
import { getPipeline } from './get-pipeline.ts'
import { getRun } from './get-run.ts'
import { listPipelines } from './list-pipelines.ts'
import { listRuns } from './list-runs.ts'
import { createPipelines } from './migrations/0001-create-pipelines.ts'
import { findRunsOfAPipeline } from './migrations/0002-find-runs-of-a-pipeline.ts'
import { putPipeline } from './put-pipeline.ts'
import { readStepLog } from './read-step-log.ts'
import { runJob } from './run-job.ts'
import { search } from './search.ts'
import { startRun } from './start-run.ts'
import { startStep } from './start-step.ts'
import { sweepJob } from './sweep-job.ts'

export const pipelines = defineModule({
  name: 'pipelines',
  handlers: [
    putPipeline,
    getPipeline,
    listPipelines,
    startRun,
    getRun,
    listRuns,
    cancelRun,
    readStepLog,
    startStep,
    finishStep,
    finishRun,
  ],
  errors,
  search,
  migrations: {
    '0001-create-pipelines': createPipelines,
    '0002-find-runs-of-a-pipeline': findRunsOfAPipeline,
  },
  jobs: [runJob, sweepJob],
})
