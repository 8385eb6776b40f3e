import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { createAssessment } from './create-assessment.ts'
import { createEvaluationDataset } from './create-evaluation-dataset.ts'
import { deleteAssessment } from './delete-assessment.ts'
import { deleteEvaluationDataset } from './delete-evaluation-dataset.ts'
import { deleteEvaluationRecords } from './delete-evaluation-records.ts'
import { deleteScorer } from './delete-scorer.ts'
import { deleteTraces } from './delete-traces.ts'
import { getAssessment } from './get-assessment.ts'
import { getEvaluationDataset } from './get-evaluation-dataset.ts'
import { getScorer } from './get-scorer.ts'
import { getSpan } from './get-span.ts'
import { getTrace } from './get-trace.ts'
import { getTraceAttachment } from './get-trace-attachment.ts'
import { importEvaluationDataset } from './import-evaluation-dataset.ts'
import { importScorer } from './import-scorer.ts'
import { importTraces } from './import-traces.ts'
import { linkTraces } from './link-traces.ts'
import { listEvaluationRecords } from './list-evaluation-records.ts'
import { listScorers } from './list-scorers.ts'
import { listSpans } from './list-spans.ts'
import { logSpans } from './log-spans.ts'
import { createTraces } from './migrations/0001-create-traces.ts'
import { keepAttachments } from './migrations/0002-keep-attachments.ts'
import { putEvaluationRecords } from './put-evaluation-records.ts'
import { readTraces } from './read-traces.ts'
import { recordTrace } from './record-trace.ts'
import { recordTraceAttachment } from './record-trace-attachment.ts'
import { registerScorer } from './register-scorer.ts'
import { searchEvaluationDatasets } from './search-evaluation-datasets.ts'
import { searchTraces } from './search-traces.ts'
import { updateAssessment } from './update-assessment.ts'
import { updateEvaluationDataset } from './update-evaluation-dataset.ts'
import { updateTrace } from './update-trace.ts'

export const traces = defineModule({
  name: 'traces',
  handlers: [
    logSpans,
    recordTrace,
    importTraces,
    getTrace,
    listSpans,
    getSpan,
    readTraces,
    searchTraces,
    updateTrace,
    deleteTraces,
    linkTraces,
    recordTraceAttachment,
    getTraceAttachment,
    createAssessment,
    getAssessment,
    updateAssessment,
    deleteAssessment,
    createEvaluationDataset,
    getEvaluationDataset,
    searchEvaluationDatasets,
    updateEvaluationDataset,
    deleteEvaluationDataset,
    putEvaluationRecords,
    listEvaluationRecords,
    importEvaluationDataset,
    deleteEvaluationRecords,
    registerScorer,
    importScorer,
    listScorers,
    getScorer,
    deleteScorer,
  ],
  errors,
  migrations: { '0001-create-traces': createTraces, '0002-keep-attachments': keepAttachments },
})
