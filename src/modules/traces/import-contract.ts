import { z } from 'zod'
import { ExperimentId } from '#modules/tracking/contract.ts'
import { Instant } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'
import {
  Assessment,
  DatasetName,
  EvaluationDataset,
  EvaluationDatasetId,
  EvaluationRecord,
  Experiments,
  largestSpans,
  recordTrace,
  registerScorer,
  Scorer,
  Tags,
} from './contract.ts'

export const importTraces = operation({
  name: 'import-traces',
  method: 'POST',
  path: '/api/v1/imports/traces',
  summary: 'Copy traces of another server with their ids, times and assessments; log-spans brought their spans before',
  effect: 'write',
  permission: { verb: 'tracking:import', on: [] },
  errors: ['experiment_not_found', 'experiment_deleted', 'trace_elsewhere'],
  bodyLimit: largestSpans,
  input: z.object({
    experiment: ExperimentId,
    traces: z
      .array(
        recordTrace.input.omit({ experiment: true, assessments: true }).extend({
          assessments: z.array(Assessment.omit({ trace: true })).max(10_000),
        }),
      )
      .max(500),
  }),
  output: z.object({
    traces: z.int(),
    assessments: z.int().describe('Assessments that were not there as they are now'),
  }),
})

export const importEvaluationDataset = operation({
  name: 'import-evaluation-dataset',
  method: 'PUT',
  path: '/api/v1/imports/evaluation-datasets/:dataset',
  summary: 'Copy an evaluation dataset of another server with its id and times, and records with theirs',
  effect: 'write',
  permission: { verb: 'tracking:import', on: [] },
  errors: ['experiment_not_found'],
  bodyLimit: 32 * 1024 * 1024,
  input: z.object({
    dataset: EvaluationDatasetId,
    name: DatasetName,
    tags: Tags,
    experiments: Experiments,
    createdAt: Instant,
    updatedAt: Instant,
    records: z
      .array(EvaluationRecord.omit({ createdBy: true, updatedBy: true }))
      .max(10_000)
      .default([])
      .describe('The newer of two with the same inputs counts'),
  }),
  output: EvaluationDataset,
})

export const importScorer = operation({
  name: 'import-scorer',
  method: 'PUT',
  path: '/api/v1/imports/scorers/:scorer/versions/:version',
  summary: 'Copy a version of a scorer of another server with its number and time',
  effect: 'write',
  permission: { verb: 'tracking:import', on: [] },
  errors: ['experiment_not_found', 'experiment_deleted', 'scorer_version_taken'],
  bodyLimit: 4 * 1024 * 1024,
  input: registerScorer.input.extend({ scorer: z.uuid(), version: z.int().min(1), createdAt: Instant }),
  output: Scorer,
})
