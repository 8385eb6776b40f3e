import { defineModule } from '#platform/module.ts'
import { carryExperiments } from './carry-experiments.ts'
import { errors } from './contract.ts'
import { createExperiment } from './create-experiment.ts'
import { createLoggedModel } from './create-logged-model.ts'
import { createTrackingRun } from './create-tracking-run.ts'
import { deleteArtifacts } from './delete-artifacts.ts'
import { deleteLoggedModel } from './delete-logged-model.ts'
import { deleteRetention } from './delete-retention.ts'
import { expireRuns } from './expire-runs.ts'
import { getArtifact } from './get-artifact.ts'
import { getExperiment } from './get-experiment.ts'
import { getLoggedModel } from './get-logged-model.ts'
import { getRetention } from './get-retention.ts'
import { getTrackingRun } from './get-tracking-run.ts'
import { importExperiment } from './import-experiment.ts'
import { importLoggedModel } from './import-logged-model.ts'
import { importTrackingRun } from './import-tracking-run.ts'
import { applyRetention, purgeTrashJob } from './jobs.ts'
import { listArtifacts } from './list-artifacts.ts'
import { listExperiments } from './list-experiments.ts'
import { listMetricPoints } from './list-metric-points.ts'
import { listTrash } from './list-trash.ts'
import { logRunData } from './log-run-data.ts'
import { createTracking } from './migrations/0001-create-tracking.ts'
import { keepMetricsInChunks } from './migrations/0002-keep-metrics-in-chunks.ts'
import { indexWhatRunsAreSearchedBy } from './migrations/0003-index-what-runs-are-searched-by.ts'
import { letLoggedModelsBeRemoved } from './migrations/0004-let-logged-models-be-removed.ts'
import { keepATrash } from './migrations/0005-keep-a-trash.ts'
import { keepExperimentsInFolders } from './migrations/0006-keep-experiments-in-folders.ts'
import { tellWhoSetRetention } from './migrations/0007-tell-who-set-retention.ts'
import { moveExperiments } from './move-experiments.ts'
import { purgeTrash } from './purge-trash.ts'
import { purgeTrashed } from './purge-trashed.ts'
import { putRetention } from './put-retention.ts'
import { recordArtifact } from './record-artifact.ts'
import { recordRunLineage } from './record-run-lineage.ts'
import { restoreLoggedModel } from './restore-logged-model.ts'
import { sampleMetric } from './sample-metric.ts'
import { search } from './search.ts'
import { searchExperiments } from './search-experiments.ts'
import { searchLoggedModels } from './search-logged-models.ts'
import { searchRunTexts } from './search-run-texts.ts'
import { searchTrackingRuns } from './search-tracking-runs.ts'
import { updateExperiment } from './update-experiment.ts'
import { updateLoggedModel } from './update-logged-model.ts'
import { updateTrackingRun } from './update-tracking-run.ts'

export const tracking = defineModule({
  name: 'tracking',
  handlers: [
    createExperiment,
    importExperiment,
    importTrackingRun,
    importLoggedModel,
    getExperiment,
    listExperiments,
    searchExperiments,
    updateExperiment,
    moveExperiments,
    carryExperiments,
    createTrackingRun,
    getTrackingRun,
    updateTrackingRun,
    searchTrackingRuns,
    searchRunTexts,
    logRunData,
    listMetricPoints,
    sampleMetric,
    recordRunLineage,
    createLoggedModel,
    getLoggedModel,
    updateLoggedModel,
    searchLoggedModels,
    deleteLoggedModel,
    recordArtifact,
    getArtifact,
    listArtifacts,
    deleteArtifacts,
    restoreLoggedModel,
    getRetention,
    putRetention,
    deleteRetention,
    listTrash,
    purgeTrash,
    purgeTrashed,
    expireRuns,
  ],
  errors,
  jobs: [purgeTrashJob, applyRetention],
  search,
  migrations: {
    '0001-create-tracking': createTracking,
    '0002-keep-metrics-in-chunks': keepMetricsInChunks,
    '0003-index-what-runs-are-searched-by': indexWhatRunsAreSearchedBy,
    '0004-let-logged-models-be-removed': letLoggedModelsBeRemoved,
    '0005-keep-a-trash': keepATrash,
    '0006-keep-experiments-in-folders': keepExperimentsInFolders,
    '0007-tell-who-set-retention': tellWhoSetRetention,
  },
})
