import { z } from 'zod'
import { Instant, listInput, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'
import { ExperimentId, Key, LoggedModel, LoggedModelId } from './contract.ts'

export const deleteLoggedModel = operation({
  name: 'delete-logged-model',
  method: 'DELETE',
  path: '/api/v1/logged-models/:loggedModel',
  summary: 'Move a logged model to the trash; versions registered from it keep their files',
  effect: 'write',
  permission: { verb: 'run:update', on: [] },
  errors: ['logged_model_not_found'],
  input: z.object({ loggedModel: LoggedModelId }),
  output: z.object({ removed: z.boolean() }),
})

export const restoreLoggedModel = operation({
  name: 'restore-logged-model',
  method: 'POST',
  path: '/api/v1/logged-models/:loggedModel/restore',
  summary: 'Take a logged model out of the trash',
  effect: 'write',
  permission: { verb: 'run:update', on: [] },
  errors: ['logged_model_not_found', 'being_purged'],
  input: z.object({ loggedModel: LoggedModelId }),
  output: LoggedModel,
})

const Days = z.int().min(0).max(36_500)

/** The defaults are what an experiment has that was given none. */
export const Retention = z.object({
  trashDays: Days.default(30).describe('How long what is deleted stays in the trash before it is purged'),
  expireAfterDays: Days.min(1)
    .nullable()
    .default(null)
    .describe('How long after its end a run is moved to the trash; null keeps it'),
  keepTag: Key.default('keep').describe('Runs with this tag are never moved, whatever its value'),
})
export type Retention = z.infer<typeof Retention>

const ExperimentRetention = Retention.extend({
  experiment: ExperimentId,
  own: z.boolean().describe('Whether it has one of its own; otherwise this is what all have that have none'),
  setBy: z.uuid().nullable().describe('Null when nobody set it, or Pave did not note it yet'),
  setAt: Instant.nullable(),
})
export type ExperimentRetention = z.infer<typeof ExperimentRetention>

export const getRetention = operation({
  name: 'get-retention',
  method: 'GET',
  path: '/api/v1/experiments/:experiment/retention',
  summary: 'Read how long runs of an experiment are kept, and how long in the trash',
  effect: 'read',
  permission: { verb: 'experiment:read', on: ['experiment'] },
  errors: ['experiment_not_found'],
  input: z.object({ experiment: ExperimentId }),
  output: ExperimentRetention,
})

export const putRetention = operation({
  name: 'put-retention',
  method: 'PUT',
  path: '/api/v1/experiments/:experiment/retention',
  summary: 'Say how long ended runs of an experiment are kept, and how long what is deleted stays in the trash',
  effect: 'write',
  permission: { verb: 'experiment:update', on: ['experiment'] },
  errors: ['experiment_not_found', 'experiment_deleted'],
  input: z.object({ experiment: ExperimentId, ...Retention.shape }),
  output: ExperimentRetention,
})

export const deleteRetention = operation({
  name: 'delete-retention',
  method: 'DELETE',
  path: '/api/v1/experiments/:experiment/retention',
  summary: 'Let an experiment be kept as all are that have no retention of their own',
  effect: 'write',
  permission: { verb: 'experiment:update', on: ['experiment'] },
  errors: ['experiment_not_found'],
  input: z.object({ experiment: ExperimentId }),
  output: z.object({ removed: z.boolean() }),
})

const TrashKind = z.enum(['experiment', 'run', 'logged-model'])
export type TrashKind = z.infer<typeof TrashKind>

export const Trashed = z.object({
  kind: TrashKind,
  id: z.string(),
  name: z.string(),
  experiment: ExperimentId,
  deletedAt: Instant,
  deletedBy: z.uuid().nullable().describe('Null when Pave did not note it yet'),
  purgeAt: Instant,
  purging: z.boolean().describe('A purge has begun: it cannot be restored any more'),
  files: z.int(),
  bytes: z.int().describe('Of all artifacts that go with it; the same bytes may be in use elsewhere'),
})
export type Trashed = z.infer<typeof Trashed>

export const listTrash = operation({
  name: 'list-trash',
  method: 'GET',
  path: '/api/v1/trash',
  summary: 'List deleted experiments, runs and logged models: since when, by whom, until when, how large; newest first',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, kind: TrashKind.optional(), experiment: ExperimentId.optional() }),
  output: pageOf(Trashed),
})

export const purgeTrash = operation({
  name: 'purge-trash',
  method: 'POST',
  path: '/api/v1/trash/purge',
  summary:
    'Remove what is in the trash for good, now; runs take their metrics, artifacts and logged models along, versions registered from them keep their files',
  effect: 'write',
  permission: { verb: 'trash:purge', on: [] },
  errors: ['not_in_trash'],
  input: z.object({
    experiments: z.array(ExperimentId).max(1000).default([]),
    runs: z.array(z.uuid()).max(1000).default([]),
    loggedModels: z.array(LoggedModelId).max(1000).default([]),
  }),
  output: z.object({ job: z.uuid() }),
  job: true,
})

const Purged = z.object({
  left: z.boolean().describe('There is more to remove'),
  rows: z.int(),
  files: z.int(),
  bytes: z.int(),
})
export type Purged = z.infer<typeof Purged>

export const purgeTrashed = operation({
  name: 'purge-trashed',
  method: 'POST',
  path: '/api/v1/trash/purge-trashed',
  summary: 'Remove the next rows of one thing in the trash; the jobs that purge do this by themselves',
  effect: 'write',
  permission: { verb: 'trash:purge', on: [] },
  errors: [],
  input: z.object({
    kind: TrashKind,
    id: z.string().max(100),
    most: z.int().min(1).max(100_000).default(20_000).describe('Rows to remove in this transaction'),
  }),
  output: Purged,
})

export const expireRuns = operation({
  name: 'expire-runs',
  method: 'POST',
  path: '/api/v1/experiments/:experiment/expire-runs',
  summary: 'Move runs that ended long enough ago to the trash, as the retention of their experiment says',
  effect: 'write',
  permission: { verb: 'trash:purge', on: [] },
  errors: [],
  input: z.object({ experiment: ExperimentId, most: z.int().min(1).max(1000).default(500) }),
  output: z.object({ runs: z.int(), left: z.boolean() }),
})
