import type { LoggedPoint, MetricValue, RunOrder, TrackingRun } from '../contract.ts'

/** A column of a table of runs that its reader has chosen: `metric.auc`, `param.depth`, `tag.team`. */
export interface RunColumn {
  field: 'metric' | 'param' | 'tag'
  key: string
}

export const columnText = ({ field, key }: RunColumn): string => `${field}.${key}`

/** Undefined when an address says something else. A key may contain points itself. */
export function columnOf(text: string): RunColumn | undefined {
  const at = text.indexOf('.')
  const [field, key] = [text.slice(0, at), text.slice(at + 1)]
  if (key === '' || (field !== 'metric' && field !== 'param' && field !== 'tag')) return undefined
  return { field, key }
}

/** Keys contain letters, digits, spaces and a few signs, but no comma, so that commas may stand between them. */
export function columnsOf(text: string): RunColumn[] {
  return [...new Set(text.split(','))].flatMap((one) => columnOf(one) ?? [])
}

/** Of the client's own tags, those that tell a reader something. */
const clientTags = new Set([
  'mlflow.user',
  'mlflow.source.name',
  'mlflow.source.git.commit',
  'mlflow.source.git.branch',
])

/** What the runs at hand have, for the reader to choose from; most of the client's own tags are left out. */
export function availableColumns(runs: readonly TrackingRun[]): RunColumn[] {
  const names = new Set(
    runs.flatMap(({ metrics, params, tags }) => [
      ...metrics.map(({ key }) => columnText({ field: 'metric', key })),
      ...Object.keys(params).map((key) => columnText({ field: 'param', key })),
      ...Object.keys(tags)
        .filter((key) => !key.startsWith('mlflow.') || clientTags.has(key))
        .map((key) => columnText({ field: 'tag', key })),
    ]),
  )
  return [...names].sort().flatMap((one) => columnOf(one) ?? [])
}

/** What a table shows until its reader chooses: a few metrics, then a few params. */
export function usualColumns(runs: readonly TrackingRun[]): RunColumn[] {
  const all = availableColumns(runs)
  return [
    ...all.filter(({ field, key }) => field === 'metric' && !isSystemMetric(key)).slice(0, 4),
    ...all.filter(({ field }) => field === 'param').slice(0, 3),
  ]
}

/** Of the machine that the run was on, as the client measures it. */
export const isSystemMetric = (key: string): boolean => key.startsWith('system/')

/** The same column as a field of a search: `metrics.auc`. */
export const fieldOf = ({ field, key }: RunColumn): string => `${field}s.${key}`

/** What a run has in a column; undefined where it has nothing. */
export function cellOf(run: TrackingRun, { field, key }: RunColumn): string | undefined {
  if (field === 'param') return run.params[key]
  if (field === 'tag') return run.tags[key]
  const point = run.metrics.find((one) => one.key === key)
  return point === undefined ? undefined : metricText(point.value)
}

export function metricText(value: MetricValue): string {
  if (typeof value === 'string') return value
  return Number.isInteger(value) ? value.toLocaleString('en') : String(Number(value.toPrecision(6)))
}

/** A text as a filter has it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A filter that finds the runs with a value, beside what another one finds. */
export function filterFor({ field, key }: RunColumn, value: string, filter: string | undefined): string {
  const condition = `${field}s.\`${key}\` = ${quoted(value)}`
  return filter === undefined ? condition : `(${filter}) and ${condition}`
}

/** The order of an address: `-metric.auc` is the highest first; `started` and `name` are the run's own. */
export function orderOf(text: string): RunOrder[] {
  const descending = text.startsWith('-')
  const name = descending ? text.slice(1) : text
  if (name === 'name') return [{ field: 'attribute', key: 'name', descending }]
  if (name === 'status') return [{ field: 'attribute', key: 'status', descending }]
  if (name === 'started') return [{ field: 'attribute', key: 'startedAt', descending }]
  const column = columnOf(name)
  return column === undefined ? [] : [{ ...column, descending }]
}

/** What a click on a column's heading does: highest first, lowest first, then as it was. */
export function nextOrder(now: string, column: string): string | undefined {
  if (now === `-${column}`) return column
  return now === column ? undefined : `-${column}`
}

/** A curve to draw: steps and values. What is no number leaves a gap. */
export function curveOf(points: readonly LoggedPoint[]): [number, number | null][] {
  return points.map(({ step, value }) => [step, typeof value === 'number' ? value : null])
}
