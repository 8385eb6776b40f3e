import { z } from 'zod'
import type { OnlineBatch, OnlineKey, OnlineStore } from '#platform/storage/online/online-store.ts'

/** How many batches of a dataset are remembered; a retry comes within a few. */
const remembered = 10_000

const Applied = z.object({
  digest: z.string(),
  accepted: z.number(),
  tooLate: z.number(),
  quarantined: z.record(z.string(), z.number()),
})

/** What a batch was and what it did. */
export type AppliedBatch = z.infer<typeof Applied>

/** The batches that were applied to a dataset's views last. Kept beside the states, so that both are written at once. */
export interface BatchLog {
  find(batch: string): Promise<AppliedBatch | undefined>
  /** What to write in order to remember a batch and forget the oldest. */
  remember(batch: string, applied: AppliedBatch): Promise<Required<OnlineBatch>>
}

export function batchLog(store: OnlineStore, workspace: string, dataset: string): BatchLog {
  const at = (key: string): OnlineKey => ({ namespace: `${workspace}/${dataset}/batches`, key })
  const read = async (key: string) => {
    const [bytes] = await store.getMany([at(key)])
    return bytes === undefined ? undefined : Buffer.from(bytes).toString()
  }
  return {
    async find(batch) {
      const text = await read(`batch ${batch}`)
      return text === undefined ? undefined : Applied.parse(JSON.parse(text))
    },
    async remember(batch, applied) {
      const next = Number((await read('next')) ?? 0)
      const slot = `slot ${next % remembered}`
      const oldest = await read(slot)
      const put = (key: string, text: string) => ({ key: at(key), value: Buffer.from(text) })
      return {
        deletes: oldest === undefined ? [] : [at(`batch ${oldest}`)],
        puts: [put(`batch ${batch}`, JSON.stringify(applied)), put(slot, batch), put('next', String(next + 1))],
      }
    },
  }
}
