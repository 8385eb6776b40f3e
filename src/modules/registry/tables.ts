import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import { errors, type ModelSpec, type Version } from './contract.ts'

export const registryFailure = failure(errors)

export interface ModelRow {
  name: string
  spec: ModelSpec
  last_version: number
  created_at: string
  changed_at: string
}

export const modelColumns = sql`name, spec, last_version, created_at, changed_at`

/** What `registry.version.content` holds: the version without what its columns say. */
export type VersionContent = Omit<
  Version,
  'ref' | 'model' | 'version' | 'digest' | 'author' | 'aliases' | 'registeredAt'
>

export interface VersionRow {
  model: string
  version: number
  digest: string
  content: VersionContent
  author: string
  registered_at: string
  aliases: string[]
}

export function versionOf(row: VersionRow): Version {
  return {
    ...row.content,
    ref: `${row.model}@${row.version}`,
    model: row.model,
    version: row.version,
    digest: row.digest,
    author: row.author,
    aliases: row.aliases,
    registeredAt: row.registered_at,
  }
}

export function modelOf(row: ModelRow) {
  return {
    model: row.name,
    spec: row.spec,
    latestVersion: row.last_version === 0 ? null : row.last_version,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }
}
