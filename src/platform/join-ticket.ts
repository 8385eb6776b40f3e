import { z } from 'zod'

/** What is inside the one string that makes a machine an inference node: who made it, where, and the secret. */
const JoinTicket = z.object({
  v: z.literal(1),
  secret: z.string(),
  environment: z.string(),
  /** Where the control plane is; tried in this order. */
  addresses: z.array(z.url()).min(1),
  /** Hex sha256 of a public key (SPKI) that must be in the control plane's certificate chain; null without TLS of its own. */
  pin: z.string().nullable(),
  /** Ids of the keys that sign serving plans. */
  planKeys: z.array(z.string()).min(1),
})
export type JoinTicket = z.infer<typeof JoinTicket>

const prefix = 'pave-join-'

/** One word that survives any shell and any form. */
export function writeJoinTicket(ticket: JoinTicket): string {
  return prefix + Buffer.from(JSON.stringify(ticket)).toString('base64url')
}

/** Undefined when it is no ticket, or not all of one. */
export function readJoinTicket(text: string): JoinTicket | undefined {
  if (!text.startsWith(prefix)) return undefined
  try {
    return JoinTicket.safeParse(JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString())).data
  } catch {
    return undefined
  }
}
