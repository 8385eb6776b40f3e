import { durationMs } from '#platform/names.ts'
import type { MonitorSpec } from './contract.ts'

type Params = NonNullable<MonitorSpec['retrain']>['params']

const reference = /\$\{([^}]*)\}/g
const known = /^\s*watermark\s*(?:-\s*(\d{1,6}(?:ms|s|m|h|d)))?\s*$/

/** Fills in `${watermark}` and `${watermark-60d}` as dates, `2001-04-22`. */
export function fillParams(params: Params, watermark: string): Params {
  const filled = Object.entries(params).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.replace(reference, (_, inside: string) => dateOf(inside, watermark)) : value,
  ])
  return Object.fromEntries(filled)
}

function dateOf(inside: string, watermark: string): string {
  const back = known.exec(inside)?.[1]
  const time = Date.parse(watermark) - (back === undefined ? 0 : durationMs(back))
  return new Date(time).toISOString().slice(0, 10)
}

/** References that `fillParams` does not know. */
export function unknownReferences(params: Params): string[] {
  return Object.values(params).flatMap((value) =>
    typeof value === 'string'
      ? [...value.matchAll(reference)].filter(([, inside = '']) => !known.test(inside)).map(([whole]) => whole)
      : [],
  )
}
