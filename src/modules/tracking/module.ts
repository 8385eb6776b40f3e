import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { createExperiment } from './create-experiment.ts'
import { createLoggedModel } from './create-logged-model.ts'
import { createTrackingRun } from './create-tracking-run.ts'
import { getArtifact } from './get-artifact.ts'
import { getExperiment } from './get-experiment.ts'
import { getLoggedModel } from './get-logged-model.ts'
import { getTrackingRun } from './get-tracking-run.ts'
import { listArtifacts } from './list-artifacts.ts'
import { listExperiments } from './list-experiments.ts'
import { listMetricPoints } from './list-metric-points.ts'
import { logRunData } from './log-run-data.ts'
import { createTracking } from './migrations/0001-create-tracking.ts'
import { recordArtifact } from './record-artifact.ts'
import { recordRunLineage } from './record-run-lineage.ts'
import { search } from './search.ts'
import { searchLoggedModels } from './search-logged-models.ts'
import { searchTrackingRuns } from './search-tracking-runs.ts'
import { updateExperiment } from './update-experiment.ts'
import { updateLoggedModel } from './update-logged-model.ts'
import { updateTrackingRun } from './update-tracking-run.ts'

export const tracking = defineModule({
  name: 'tracking',
  handlers: [
    createExperiment,
    getExperiment,
    listExperiments,
    updateExperiment,
    createTrackingRun,
    getTrackingRun,
    updateTrackingRun,
    searchTrackingRuns,
    logRunData,
    listMetricPoints,
    recordRunLineage,
    createLoggedModel,
    getLoggedModel,
    updateLoggedModel,
    searchLoggedModels,
    recordArtifact,
    getArtifact,
    listArtifacts,
  ],
  errors,
  search,
  migrations: { '0001-create-tracking': createTracking },
})
