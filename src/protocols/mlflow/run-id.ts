import { z } from 'zod'
import { notFound } from './errors.ts'

/** MLflow writes the uuid of a run as 32 hexadecimal digits. */
export function mlflowRunId(uuid: string): string {
  return uuid.replaceAll('-', '')
}

/** In a request. */
export const RunId = z.string().transform(runUuid)

/** In a request, of anything else: what cannot be an id names nothing. */
export function idOf(id: z.ZodString, what: string) {
  return z.string().transform((text) => {
    if (!id.safeParse(text).success) throw notFound(`${what} with ID '${text.slice(0, 100)}' not found.`)
    return text
  })
}

/** The uuid of a run; an id that cannot be one names no run. */
export function runUuid(id: string): string {
  const uuid = tryRunUuid(id)
  if (uuid === undefined) throw notFound(`Run with id=${id} not found`)
  return uuid
}

export function tryRunUuid(id: string): string | undefined {
  const hex = id.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(hex)) return undefined
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
