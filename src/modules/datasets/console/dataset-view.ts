import { count, percent } from '../../../console/design/format.ts'
import type { ColumnProfile, DatasetSpec, DatasetVersion } from '../contract.ts'

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((total, one) => total + one, 0)

/** Of all rows read, those that were set aside. */
export function quarantineShare({ rows, quarantined }: Pick<DatasetVersion, 'rows' | 'quarantined'>): number {
  const aside = sum(quarantined)
  return aside === 0 ? 0 : aside / (rows + aside)
}

export const asideOf = ({ quarantined }: Pick<DatasetVersion, 'quarantined'>): number => sum(quarantined)

export interface RuleResult {
  rule: string
  check: string
  action: string
  description: string
  /** Rows that the rule was asked about. */
  checked: number
  failed: number
}

/**
 * What each rule of the contract found in a version. A row is set aside by the first rule that it breaks, so later rules
 * are asked about fewer rows; a rule that the contract has no more keeps its count.
 */
export function ruleResults(spec: DatasetSpec, version: DatasetVersion): RuleResult[] {
  const total = version.rows + asideOf(version)
  const failures: Record<string, number> = { ...version.quarantined, ...version.warned }
  const required = Object.entries(spec.columns)
    .filter(([, { nullable }]) => !nullable)
    .map(([column]) => ({
      rule: `not-null:${column}`,
      check: `${column} is not null`,
      action: 'quarantine',
      description: '',
    }))
  const unique = spec.unique && {
    rule: 'unique',
    check: spec.unique.columns === undefined ? 'no two rows are the same' : `unique ${spec.unique.columns.join(', ')}`,
    action: spec.unique.action,
    description: 'Of rows that agree, the first stays',
  }
  const declared = [
    ...required,
    ...(unique === undefined ? [] : [unique]),
    ...spec.rules.map(({ name, check, action, description }) => ({
      rule: name,
      check,
      action,
      description: description ?? '',
    })),
  ]
  const gone = Object.keys(failures)
    .filter((rule) => declared.every((one) => one.rule !== rule))
    .map((rule) => ({ rule, check: '', action: '', description: 'No longer in the contract' }))
  let left = total
  return [...declared, ...gone].map((one) => {
    const failed = failures[one.rule] ?? 0
    const result = { ...one, checked: left, failed }
    if (version.quarantined[one.rule] !== undefined) left -= failed
    return result
  })
}

/** A value of a row as text: what has no digits or letters of its own is said in words. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return JSON.stringify(value)
}

const short = (value: number) => Number(value.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 20 })

/** The numbers under the picture of a column. */
export function columnNumbers(column: ColumnProfile, rows: number): string[] {
  const { nulls, distinct, mean, std, min, max, quartiles, type } = column
  const ends = typeof min === 'number' && typeof max === 'number' ? `${short(min)} to ${short(max)}` : undefined
  return [
    ...(type === 'bool' && mean !== null ? [`${percent(mean)} true`] : []),
    ...(type !== 'bool' && mean !== null
      ? [`mean ${short(mean)}${std === null ? '' : `, standard deviation ${short(std)}`}`]
      : []),
    ...(quartiles === null ? [] : [`quartiles ${quartiles.map(short).join(' · ')}`]),
    ...(ends === undefined ? [] : [ends]),
    ...(type === 'string' || type === 'timestamp' ? [`about ${count(distinct)} distinct`] : []),
    nulls === 0 ? 'no nulls' : `${percent(nulls / Math.max(1, rows))} null`,
  ]
}

/** What somebody who cannot see the picture of a column is told. */
export const describeColumn = (column: ColumnProfile, rows: number): string =>
  `${column.name}: ${columnNumbers(column, rows).join(', ')}`
