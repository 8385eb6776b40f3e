import { sql } from 'kysely'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { withinFolder } from '#platform/storage/database/folders.ts'
import type { ModelSpec, Signature, Version } from './contract.ts'
import { type ModelRow, modelColumns, registryFailure, type VersionRow, versionOf } from './tables.ts'

export async function findModel(db: Db, name: string, lock = false): Promise<ModelRow | undefined> {
  const { rows } = await sql<ModelRow>`
    select ${modelColumns} from registry.model
    where name = ${name} and removed_at is null ${lock ? sql`for update` : sql``}
  `.execute(db)
  return rows[0]
}

/** How many models and how many prompts each folder within one has. */
export async function modelFolders(
  db: Db,
  within: string,
): Promise<{ folder: string; models: number; prompts: number }[]> {
  const { rows } = await sql<{ folder: string; models: number; prompts: number }>`
    select folder, count(*) filter (where spec ->> 'task' <> 'prompt') as models,
           count(*) filter (where spec ->> 'task' = 'prompt') as prompts
    from registry.model where removed_at is null and ${withinFolder(sql`folder`, within, true)} group by folder
  `.execute(db)
  return rows
}

/** The declaration of a model; `model_not_found` when there is none. */
export async function modelSpec(db: Db, name: string): Promise<ModelSpec> {
  return (await requireModel(db, name)).spec
}

export async function requireModel(db: Db, name: string, lock = false): Promise<ModelRow> {
  const model = await findModel(db, name, lock)
  if (model === undefined) throw registryFailure('model_not_found', `There is no model ${name}`)
  return model
}

export const versionColumns = sql`
  v.model, v.version, v.digest, v.content, v.author, v.registered_at,
  s.note, s.tags, s.stage, s.changed_at, t.content as twin,
  (select jsonb_build_object('state', j.state, 'error', j.error) from platform.job j
   where t.state = 'converting' and j.workspace = t.workspace and j.id = t.job) as conversion,
  array(select a.alias from registry.alias a
        where a.workspace = v.workspace and a.model = v.model and a.version = v.version order by 1) as aliases
`

/** Versions as `v`, what is said about each as `s` and its twin as `t`; removed ones have `s.removed_at`. */
export const versionsWithState = sql`
  registry.version v
  left join registry.version_state s on s.workspace = v.workspace and s.model = v.model and s.version = v.version
  left join registry.onnx_twin t on t.workspace = v.workspace and t.model = v.model and t.version = v.version
`

/** A model's versions, newest first. */
export async function versionPage(db: Db, input: { model: string; limit: number; cursor?: string | undefined }) {
  const { model, limit, cursor } = input
  const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
  const { rows } = await sql<VersionRow>`
    select ${versionColumns} from ${versionsWithState}
    where v.model = ${model} and v.version < ${before} and s.removed_at is null
    order by v.version desc limit ${limit + 1}
  `.execute(db)
  return pageFrom(rows, limit, versionOf, (row) => [row.version])
}

/** The version behind `model@version` or `model@alias`; `version_not_found` when there is none. */
export async function resolveVersion(db: Db, ref: string): Promise<Version> {
  const at = ref.lastIndexOf('@')
  const model = ref.slice(0, at)
  const name = ref.slice(at + 1)
  const number = /^\d{1,9}$/.test(name) ? Number(name) : null
  const { rows } = await sql<VersionRow>`
    select ${versionColumns}
    from ${versionsWithState}
    where v.model = ${model} and s.removed_at is null
      and v.version = coalesce(${number}::int, (select a.version from registry.alias a where a.model = ${model} and a.alias = ${name}))
  `.execute(db)
  const row = rows[0]
  if (row === undefined) throw registryFailure('version_not_found', `There is no version ${ref}`)
  return versionOf(row)
}

export interface ServedGraph {
  artifact: string
  signature: Signature
  output: string
  /** Whether it is the version's ONNX twin, and not a graph of its own. */
  twin: boolean
}

/** What serves when the version is released: its own graph, or else its twin once that is ready. */
export function graphOf({ artifact, signature, output, twin }: Version): ServedGraph | undefined {
  if (artifact !== null) return { artifact, signature, output, twin: false }
  if (twin?.state !== 'ready' || twin.artifact === null || twin.signature === null) return undefined
  return { artifact: twin.artifact, signature: twin.signature, output: twin.output ?? '', twin: true }
}
