import { z } from 'zod'
import { PaveError } from '#platform/errors.ts'
import { Digest } from '#platform/names.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { MlflowError } from '../../protocols/mlflow/errors.ts'
import { unreadable } from './artifact-folders.ts'
import type { MlflowSource } from './mlflow-source.ts'
import type { Progress } from './progress.ts'

export interface CopyOptions extends Pick<Progress, 'say' | 'tick'> {
  source: MlflowSource
  client: Client
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
  traces: number
  unchangedTraces: number
  spans: number
  datasets: number
  records: number
  scorers: number
  webhooks: number
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
  traces: 0,
  unchangedTraces: 0,
  spans: 0,
  datasets: 0,
  records: 0,
  scorers: 0,
  webhooks: 0,
  problems: [],
})

export function toldUntilNow({ runs, points, files, traces }: Copied): string {
  return `${runs} runs, ${points} points, ${files} files, ${traces} traces until now`
}

/** What cannot be copied is told and answered, and the rest goes on. Without an answer from Pave nothing can. */
export async function tryCopying(
  what: string,
  { copied, say }: { copied: Copied; say: CopyOptions['say'] },
  work: () => Promise<void>,
): Promise<{ absent: boolean } | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    const { code, message } = problemOf(error)
    copied.problems.push({ what, code, message })
    say(`${what}: ${message}`)
    return { absent: error instanceof PaveError && statusOf(error) === 404 }
  }
}

/** What the other server answered, or Pave. */
export function statusOf({ status, details }: PaveError): number {
  return Number(details?.['status'] ?? status)
}

function problemOf(error: unknown): { code: string; message: string } {
  if (error instanceof z.ZodError) {
    const issues = error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.')}: ${message}`)
    return { code: 'unexpected_answer', message: `it is not as MLflow has it: ${issues.join('; ')}` }
  }
  if (error instanceof MlflowError) return { code: 'unexpected_answer', message: error.message }
  if (!(error instanceof PaveError) || error.code === 'unreachable') throw error
  const why = error.problems.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ')
  return { code: error.code, message: why || error.message }
}

const Stored = z.object({ digest: Digest, size: z.int() })

export async function storeObject(
  client: Client,
  body: string | ReadableStream<Uint8Array>,
): Promise<z.infer<typeof Stored>> {
  const source = typeof body === 'string' ? undefined : watched(body)
  try {
    return Stored.parse(await (await client.raw('POST', '/api/v1/objects', { body: source?.bytes ?? body })).json())
  } catch (error) {
    throw source?.failure() ?? error
  }
}

/** A source that breaks off looks to whoever sends it as if Pave had not answered. */
function watched(body: ReadableStream<Uint8Array>) {
  const reader = body.getReader()
  let failed: PaveError | undefined
  const bytes = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        failed = unreadable('The file', error)
        throw error
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return { bytes, failure: () => failed }
}

/** A run's id without dashes is a uuid; what is none is refused by name. */
export function uuidOf(id: string): string {
  return id.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i, '$1-$2-$3-$4-$5')
}

export function instant(ms: number): string {
  return new Date(ms).toISOString()
}
