import { z } from 'zod'
import { PaveError } from '#platform/errors.ts'
import { Digest } from '#platform/names.ts'
import type { Client } from '#platform/surfaces/client.ts'
import type { MlflowSource } from './mlflow-source.ts'

export interface CopyOptions {
  source: MlflowSource
  client: Client
  say: (text: string) => void
}

/** What was copied, and what was there from an earlier time. */
export interface Copied {
  experiments: number
  runs: number
  unchanged: number
  points: number
  loggedModels: number
  files: number
  bytes: number
  models: number
  versions: number
  problems: Array<{ what: string; code: string; message: string }>
}

export const nothingCopied = (): Copied => ({
  experiments: 0,
  runs: 0,
  unchanged: 0,
  points: 0,
  loggedModels: 0,
  files: 0,
  bytes: 0,
  models: 0,
  versions: 0,
  problems: [],
})

/** What cannot be copied is told, and the rest goes on. Without an answer from Pave nothing can. */
export async function tryCopying(
  what: string,
  { copied, say }: { copied: Copied; say: CopyOptions['say'] },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof PaveError) || error.code === 'unreachable') throw error
    const why = error.problems.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ')
    copied.problems.push({ what, code: error.code, message: why || error.message })
    say(`${what}: ${why || error.message}`)
  }
}

const Stored = z.object({ digest: Digest, size: z.int() })

export async function storeObject(client: Client, body: RequestInit['body']): Promise<z.infer<typeof Stored>> {
  return Stored.parse(await (await client.raw('POST', '/api/v1/objects', { body })).json())
}

/** A run's id without dashes is a uuid; what is none is refused by name. */
export function uuidOf(id: string): string {
  return id.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i, '$1-$2-$3-$4-$5')
}

export function instant(ms: number): string {
  return new Date(ms).toISOString()
}
