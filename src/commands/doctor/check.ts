import type { PoolClient } from 'pg'
import type { Config } from '#platform/config.ts'

/** What a check looks at. */
export interface Site {
  config: Config
  dataDir: string
  /** There is a data directory, and a Pave was started in it. */
  exists: boolean
  /** Some process holds the data directory or answers for it. */
  running: boolean
  now: number
}

/** A site whose database answers. */
export interface SiteWithDatabase extends Site {
  /** Reads as the owner of the tables, in transactions that cannot write. */
  database: PoolClient
}

export interface Finding {
  /** Stable, for runbooks and alerts: `docs/runbooks/<code>.md` where there is more to say. */
  code: string
  level: 'ok' | 'warn' | 'fail' | 'skipped'
  /** What was found. */
  what: string
  /** Why it matters; empty when nothing is wrong. */
  why: string
  /** Commands that mend it, or what to do where no command can. */
  mend: string[]
}

export type Check =
  | { name: string; look(site: Site): Promise<Finding[]> }
  | { name: string; database: true; look(site: SiteWithDatabase): Promise<Finding[]> }

export function ok(code: string, what: string): Finding {
  return { code, level: 'ok', what, why: '', mend: [] }
}

export function warn(code: string, what: string, why: string, ...mend: string[]): Finding {
  return { code, level: 'warn', what, why, mend }
}

export function fail(code: string, what: string, why: string, ...mend: string[]): Finding {
  return { code, level: 'fail', what, why, mend }
}

export function skipped(code: string, what: string): Finding {
  return { code, level: 'skipped', what, why: '', mend: [] }
}

/** The message of an error, and what it hints at. */
export function reasonOf(error: unknown): { what: string; hint: string[] } {
  const what = error instanceof Error ? error.message : String(error)
  const hint = error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : ''
  return { what, hint: hint === '' ? [] : [hint] }
}
