import { z } from 'zod'

const instant = z.iso.datetime({ offset: true }).optional().catch(undefined)

/** What of the ledger is shown, as the address says it. */
export const LedgerView = z.object({
  operation: z.string().max(100).optional().catch(undefined),
  subject: z
    .string()
    .max(400)
    .regex(/^[a-z-]+:.+$/)
    .optional()
    .catch(undefined),
  outcome: z.enum(['done', 'pending', 'refused', 'failed']).optional().catch(undefined),
  actor: z.uuid().optional().catch(undefined),
  from: instant,
  until: instant,
})
