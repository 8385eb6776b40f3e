import { sql } from 'kysely'
import { z } from 'zod'
import { systemActor } from '../actor.ts'
import { handle } from '../context.ts'
import { defineJob, type JobContext } from '../job.ts'
import { objectLockOf } from '../storage/objects/lock-objects.ts'
import * as contract from './contract.ts'
import { referencedObjects } from './referenced-objects.ts'
import { graceMs } from './withdraw-objects.ts'

export const freeObjects = handle(contract.freeObjects, async (ctx) => ({
  job: await ctx.startJob('free-objects', {}),
}))

const mostAtOnce = 100_000
const page = 100

/**
 * What was released is looked at twice, a day apart: what nothing referred to at the first look is withdrawn, so that
 * nothing can refer to it anew, looked for once more, and then removed. Any doubt ends the job and removes nothing.
 */
export const freeObjectsJob = defineJob({
  name: 'free-objects',
  input: z.object({}),
  retries: 2,
  timeoutMs: 6 * 3_600_000,
  concurrency: 1,
  cron: '47 3 * * *',
  async run(ctx) {
    const sum = { objects: 0, bytes: 0, used: 0, waiting: 0 }
    if (ctx.services.objects.deleteOlder === undefined) return { ...sum, left: 'the object store cannot free safely' }
    const released = await releasedObjects(ctx)
    if (released.length === 0) return sum
    const by = { actor: systemActor(ctx.workspace) }
    const since = ctx.clock.now() - graceMs
    const ripe = released.filter((one) => one.unreferenced_since !== null && Date.parse(one.unreferenced_since) < since)
    for (const digests of pagesOf(ripe.map(({ digest }) => digest))) {
      await ctx.platform.run(contract.withdrawObjects, { ...by, input: { digests } })
    }
    const all = released.map(({ digest }) => digest)
    const used = await referencedObjects(ctx.platform, all)
    for (const digests of pagesOf(all)) {
      ctx.signal.throwIfAborted()
      const input = { digests, used: digests.filter((digest) => used.has(digest)) }
      const done = await ctx.platform.run(contract.removeObjects, { ...by, input })
      sum.objects += done.objects
      sum.bytes += done.bytes
      sum.used += done.used
      sum.waiting += done.waiting
    }
    return sum
  },
})

async function releasedObjects(ctx: JobContext) {
  const { rows } = await ctx.read((db) =>
    sql<{ digest: string; unreferenced_since: string | null }>`
      select digest, unreferenced_since from platform.released_object
      order by unreferenced_since nulls last, released_at limit ${mostAtOnce}
    `.execute(db),
  )
  return rows
}

/** Each of digests that share a lock: whoever waits for one lock alone, and holds no other, stands in nobody's way. */
function pagesOf(digests: readonly string[]): string[][] {
  const pages: string[][] = []
  for (const ofOneLock of Map.groupBy(digests, objectLockOf).values()) {
    for (let from = 0; from < ofOneLock.length; from += page) pages.push(ofOneLock.slice(from, from + page))
  }
  return pages
}
