import { z } from 'zod'
import { FolderPath, folderTag, Instant } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'
import {
  Experiment,
  ExperimentId,
  LoggedModel,
  LoggedModelId,
  LoggedModelStatus,
  Name,
  Params,
  RunStatus,
  Tags,
  TrackingRun,
} from './contract.ts'

export const importExperiment = operation({
  name: 'import-experiment',
  method: 'POST',
  path: '/api/v1/imports/experiments',
  summary: 'Copy an experiment of another tracking server with its times; one of the same name is taken to be the same',
  effect: 'write',
  permission: { verb: 'tracking:import', on: [] },
  errors: [],
  input: z.object({
    experiment: ExperimentId.optional().describe('The id to keep, if it is free'),
    name: Name,
    tags: Tags.default({})
      .refine(
        (tags) => FolderPath.safeParse(tags[folderTag] ?? '').success,
        `${folderTag} must be the path of a folder, such as risk/fraud`,
      )
      .describe(`Those that it lacks are added; ${folderTag} is its folder if it is in none`),
    createdAt: Instant,
    updatedAt: Instant,
  }),
  output: Experiment,
})

export const importTrackingRun = operation({
  name: 'import-tracking-run',
  method: 'PUT',
  path: '/api/v1/imports/tracking-runs/:run',
  summary: 'Copy a run of another tracking server with its id and times; what it logged follows by log-run-data',
  effect: 'write',
  permission: { verb: 'tracking:import', on: [] },
  errors: ['experiment_not_found', 'tracking_run_elsewhere'],
  input: z.object({
    run: z.uuid(),
    experiment: ExperimentId,
    name: Name,
    status: RunStatus,
    startedAt: Instant,
    endedAt: Instant.nullable(),
  }),
  output: TrackingRun,
})

export const importLoggedModel = operation({
  name: 'import-logged-model',
  method: 'PUT',
  path: '/api/v1/imports/logged-models/:loggedModel',
  summary: 'Copy a logged model of another tracking server with its id and times',
  effect: 'write',
  permission: { verb: 'tracking:import', on: [] },
  lineage: { inputs: ['run'], outputs: ['logged-model'] },
  errors: ['experiment_not_found', 'tracking_run_not_found', 'logged_model_elsewhere'],
  input: z.object({
    loggedModel: LoggedModelId,
    experiment: ExperimentId,
    run: z.uuid().nullable(),
    name: Name,
    type: z.string().max(500),
    status: LoggedModelStatus,
    params: Params,
    tags: Tags,
    createdAt: Instant,
    updatedAt: Instant,
  }),
  output: LoggedModel,
})
