import { sql } from 'kysely'
import type { Scorer } from './contract.ts'

export interface ScorerRow {
  id: string
  experiment: number
  name: string
  version: number
  serialized: string
  created_at: string
}

export const scorerColumns = sql`id, experiment, name, version, serialized, created_at`

export function scorerOf({ id, experiment, created_at, ...same }: ScorerRow): Scorer {
  return { ...same, scorer: id, experiment: String(experiment), createdAt: created_at }
}
