import { z } from 'zod'
import { PaveError } from '#platform/errors.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { planDeliveries, recordAttempt } from './contract.ts'
import { nextDelivery, sendingJob } from './plan-next.ts'
import { isSuccess } from './retry.ts'
import { openSecret } from './seal-secret.ts'
import { signedHeaders } from './sign.ts'
import { type DeliveryRow, findDelivery, requireWebhook, type WebhookRow } from './tables.ts'

const answerWithinMs = 10_000
/** Of an answer, what is kept: enough to see what it was. */
const keptBytes = 4_096

/** Sends one after the other what is due for a webhook; what it was sending when it was killed is sent again. */
export const sendDeliveries = defineJob({
  name: sendingJob,
  input: z.object({ webhook: z.uuid() }),
  retries: 12,
  timeoutMs: 3_600_000,
  concurrency: 4,
  async run(ctx, { webhook: id }) {
    let next = await firstOf(ctx, id)
    let sent = 0
    while (next !== null) {
      ctx.signal.throwIfAborted()
      const found = await ctx.read(async (db) => {
        const delivery = await findDelivery(db, next ?? '')
        return delivery && { delivery, webhook: await requireWebhook(db, delivery.webhook) }
      })
      if (found === undefined) break
      const outcome = await attempt(ctx, found.webhook, found.delivery)
      sent += 1
      const { id: delivery, tries } = found.delivery
      next = (await ctx.run(`${delivery} ${tries}`, recordAttempt, { delivery, job: ctx.jobId, ...outcome })).next
    }
    return { sent }
  },
})

/** Nothing for a job in whose place another was started meanwhile. */
async function firstOf(ctx: JobContext, id: string): Promise<string | null> {
  const { job, next } = await ctx.read(async (db) => {
    const webhook = await requireWebhook(db, id)
    return { job: webhook.job, next: await nextDelivery(db, webhook, ctx.clock.iso()) }
  })
  if (job !== ctx.jobId) return null
  if (next !== undefined && Date.parse(next.next_at) <= ctx.clock.now()) return next.id
  return (await ctx.run(`plan ${ctx.attempt}`, planDeliveries, { webhook: id, job: ctx.jobId })).next
}

async function attempt(ctx: JobContext, webhook: WebhookRow, { id: delivery, body }: DeliveryRow) {
  const started = ctx.clock.now()
  const outcome = (status: number | null, answer: string | null, error: string | null) => ({
    status,
    answer,
    error,
    milliseconds: Math.max(0, Math.round(ctx.clock.now() - started)),
  })
  try {
    const place = { dataDir: ctx.services.config.dataDir, workspace: ctx.workspace, webhook: webhook.id }
    const secret = webhook.secret === null ? null : await openSecret(webhook.secret, place)
    const response = await ctx.services.egress.stream(webhook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Pave',
        ...signedHeaders({ delivery, body, secret }, ctx.clock.now()),
      },
      body,
      timeoutMs: answerWithinMs,
      // Signed for this receiver: nobody else is to have it.
      maxRedirects: 0,
      signal: ctx.signal,
    })
    const answer = await beginningOf(response.body)
    const { status } = response
    return outcome(status, answer, isSuccess(status) ? null : `The receiver answered ${status}`)
  } catch (error) {
    if (ctx.signal.aborted) throw error
    if (!(error instanceof PaveError)) ctx.log.error({ err: error }, 'a webhook could not be sent')
    return outcome(
      null,
      null,
      error instanceof PaveError ? error.message.slice(0, 2000) : 'Something broke inside Pave',
    )
  }
}

/** The status has been said: a body that never ends, or breaks off, changes nothing about it. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= keptBytes) break
    }
  } catch {
    // What has come is what is kept.
  }
  return Buffer.concat(chunks).subarray(0, keptBytes).toString('utf8').replaceAll('\0', '\uFFFD')
}
