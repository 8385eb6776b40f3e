import { setTimeout as pause } from 'node:timers/promises'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { deliveryOf, requireDelivery } from './tables.ts'

const lookAgainMs = 100

/** The wait is a courtesy to whoever tests a webhook and wants to see the answer. */
export const getDelivery = handle(
  contract.getDelivery,
  async (ctx, { delivery }) => {
    const row = await requireDelivery(ctx.db, delivery)
    return { ...deliveryOf(row), body: row.body }
  },
  {
    async wait(platform, { workspace }, { delivery, wait }) {
      for (const until = platform.clock.now() + wait * 1000; platform.clock.now() < until; await pause(lookAgainMs)) {
        const { state } = await platform.read(workspace, (db) => requireDelivery(db, delivery))
        if (state !== 'queued') return
      }
    },
  },
)
