import { defineModule } from '#platform/module.ts'
import { compactPredictions } from './compact-predictions.ts'
import { compactionJob } from './compaction-job.ts'
import { errors } from './contract.ts'
import { getPrediction } from './get-prediction.ts'
import { listPredictions } from './list-predictions.ts'
import { createPredictions } from './migrations/0001-create-predictions.ts'
import { predictionHistory } from './prediction-history.ts'
import { predictionStatistics } from './prediction-statistics.ts'
import { realisedPerformance } from './realised-performance.ts'
import { recordLabels } from './record-labels.ts'
import { recordPredictions } from './record-predictions.ts'
import { replacePredictionFiles } from './replace-prediction-files.ts'
import { chunkRoutes } from './routes.ts'

export const predictions = defineModule({
  name: 'predictions',
  handlers: [
    recordPredictions,
    recordLabels,
    predictionStatistics,
    predictionHistory,
    realisedPerformance,
    listPredictions,
    getPrediction,
    compactPredictions,
    replacePredictionFiles,
  ],
  errors,
  migrations: { '0001-create-predictions': createPredictions },
  jobs: [compactionJob],
  routes: chunkRoutes,
})
