import { sql } from 'kysely'
import { canonicalJson } from '#platform/canonical-json.ts'
import { failure } from '#platform/errors.ts'
import { digestOf } from '#platform/ids.ts'
import { errors, type ModelSpec, type OnnxTwin, type Stage, type Version } from './contract.ts'

export const registryFailure = failure(errors)

export interface ModelRow {
  name: string
  folder: string
  spec: ModelSpec
  last_version: number
  created_at: string
  changed_at: string
  aliases: Record<string, number>
}

/** Of `registry.model`, which must not have another name in the query. */
export const modelColumns = sql`
  model.name, model.folder, model.spec, model.last_version, model.created_at, model.changed_at,
  (select coalesce(jsonb_object_agg(alias, version), '{}') from registry.alias
   where alias.workspace = model.workspace and alias.model = model.name) as aliases
`

/** What `registry.version.content` holds: the version without what its columns say and what may change about it. */
export type VersionContent = Omit<
  Version,
  | 'ref'
  | 'model'
  | 'version'
  | 'digest'
  | 'author'
  | 'aliases'
  | 'registeredAt'
  | 'tags'
  | 'stage'
  | 'changedAt'
  | 'twin'
>

export interface VersionRow {
  model: string
  version: number
  digest: string
  content: VersionContent
  author: string
  registered_at: string
  aliases: string[]
  note: string | null
  tags: Record<string, string> | null
  stage: Stage | null
  changed_at: string | null
  twin: OnnxTwin | null
  /** Of the job that makes the twin, while that is not ended by what the twin says. */
  conversion: { state: string; error: { code: string; message: string } | null } | null
}

/** What versions did not yet tell that were registered by an earlier Pave. */
const since = { files: null, flavors: [], properties: {}, source: null, loggedModel: null }

/**
 * The digest of what a version is. Who made it and what it is called where it came from do not matter; what has neither
 * graph nor files, such as a prompt, is told apart by its note and tags too. Nothing that is absent counts, so that
 * versions of an earlier Pave keep their identity.
 */
export function identityOf(model: string, content: VersionContent, tags: Record<string, string>): string {
  const { files, flavors, properties, artifact, note } = { ...since, ...content }
  return digestOf(
    canonicalJson({
      model,
      ...content,
      run: undefined,
      source: undefined,
      loggedModel: undefined,
      files: files ?? undefined,
      flavors: flavors.length > 0 ? flavors : undefined,
      properties: Object.keys(properties).length > 0 ? properties : undefined,
      note: artifact === null && files === null ? note : undefined,
      tags: artifact === null && files === null ? tags : undefined,
    }),
  )
}

export function versionOf(row: VersionRow): Version {
  return {
    ...since,
    ...row.content,
    ref: `${row.model}@${row.version}`,
    model: row.model,
    version: row.version,
    digest: row.digest,
    author: row.author,
    aliases: row.aliases,
    registeredAt: row.registered_at,
    note: row.note ?? row.content.note,
    tags: row.tags ?? {},
    stage: row.stage ?? 'none',
    changedAt: row.changed_at ?? row.registered_at,
    twin: row.twin && twinOf(row.twin, row.conversion),
  }
}

/** A job can end without having said so here: it was cancelled while it waited, or its worker was killed each time. */
function twinOf(twin: OnnxTwin, job: VersionRow['conversion']): OnnxTwin {
  if (job === null || (job.state !== 'failed' && job.state !== 'cancelled')) return twin
  const { code, message } = job.error ?? { code: 'job_cancelled', message: 'The conversion was cancelled' }
  return { ...twin, state: 'failed', problem: { code, message, lines: [] } }
}

export function modelOf(row: ModelRow) {
  return {
    model: row.name,
    folder: row.folder,
    spec: row.spec,
    latestVersion: row.last_version === 0 ? null : row.last_version,
    aliases: row.aliases,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }
}
