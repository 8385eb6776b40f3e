import { canonicalJson } from '#platform/canonical-json.ts'
import { digestOf } from '#platform/ids.ts'

/** Raised when what a recipe stands for changes, so that nothing cached before is taken. */
const cacheVersion = 1

/** Everything that decides the outputs of a step, as JSON: code, command, params, digests of the inputs. */
export type Recipe = Readonly<Record<string, unknown>>

/** The same key, the same outputs. */
export function cacheKey(recipe: Recipe): string {
  return digestOf(canonicalJson({ cacheVersion, recipe }))
}

const singular: Record<string, string> = { params: 'param', inputs: 'input', with: 'with' }

/** What differs between two recipes, for people: `input training changed, param distance_unit is new`. */
export function explainChange(before: Recipe, now: Recipe): string {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  return fields.flatMap((field) => changesOf(field, before[field], now[field])).join(', ')
}

function changesOf(field: string, before: unknown, now: unknown): string[] {
  if (same(before, now)) return []
  const word = singular[field]
  if (word === undefined || !isRecord(before) || !isRecord(now)) return [`${field} changed`]
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  return names.flatMap((name) => {
    if (same(before[name], now[name])) return []
    if (before[name] === undefined) return [`${word} ${name} is new`]
    return [now[name] === undefined ? `${word} ${name} is gone` : `${word} ${name} changed`]
  })
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
