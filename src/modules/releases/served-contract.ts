import { z } from 'zod'
import { Digest, Instant, listInput, ModelName, Name, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

const named = { environment: Name, endpoint: Name }

/** A release that put a version where it served, and who answers for that. */
const ServedBy = z.object({
  release: z.uuid(),
  version: z.string(),
  startedBy: z.uuid(),
  startedByName: z.string().nullable(),
  startedAt: Instant,
  note: z.string(),
  /** The ledger entry of `start-release`. */
  entry: z.uuid(),
  approvals: z.array(z.object({ by: z.uuid(), byName: z.string().nullable(), at: Instant, entry: z.uuid() })),
})

const Shares = z.array(
  z.object({
    version: z.string(),
    variant: z.enum(['primary', 'canary', 'shadow']),
    /** Basis points of the requests; of a shadow, which answers nobody, those that it got copies of. */
    weight: z.int(),
    release: z.uuid().nullable(),
  }),
)

/** What the control plane had decided for an endpoint from one moment to the next change. */
export const ServedSpan = z.object({
  from: Instant,
  /** Null while it is so. */
  until: Instant.nullable(),
  traffic: Shares,
  /** What made it so, who did it and why. */
  change: z.enum(['started', 'advanced', 'rolled-back']),
  by: z.uuid(),
  byName: z.string().nullable(),
  reason: z.string(),
  /** The first serving plan that says so. */
  generation: z.int().nullable(),
  /** Digest of that plan's signed payload, where its entry has it. */
  plan: Digest.nullable(),
  /** The ledger entry that proves it; its leaf is null for the moment until it is sealed. */
  entry: z.uuid(),
  leaf: z.int().nullable(),
  releases: z.array(ServedBy),
})
export type ServedSpan = z.infer<typeof ServedSpan>

export const whatServed = operation({
  name: 'what-served',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/served',
  summary:
    'Say which versions answered an endpoint at an instant: what the control plane had decided, what each node had said that it took, and the ledger entries that prove both',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: ['environment', 'endpoint'] },
  errors: ['endpoint_not_found'],
  input: z.object({ ...named, at: Instant.optional().describe('Such as 2026-05-04T03:00:00Z; now when left out') }),
  output: z.object({
    environment: Name,
    endpoint: Name,
    at: Instant,
    /** Null before the first release. */
    decided: ServedSpan.nullable(),
    /** What every node had last said before the instant. A node that was stopped says nothing, and stays listed. */
    nodes: z.array(
      z.object({
        node: z.string(),
        generation: z.int(),
        saidAt: Instant,
        /** The ledger entry of its report. */
        entry: z.uuid(),
        /** What a plan of this generation has it answer with. */
        traffic: Shares,
        /** Whether it had said that it took what was decided. */
        taken: z.boolean(),
        /** When it said so, if that was later. */
        takenAt: Instant.nullable(),
        /** The version that a local override had it answer with, whatever the plan said. */
        override: z.object({ version: z.string(), reason: z.string() }).nullable(),
        /** Versions of the decision that it could not load. */
        failed: z.array(z.object({ version: z.string(), reason: z.string() })),
      }),
    ),
    /** Whether at least one node was known, and every one had taken what was decided, without override or failure. */
    agreed: z.boolean(),
  }),
})

export const listServedSpans = operation({
  name: 'list-served-spans',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/served-spans',
  summary: 'List what answered an endpoint between two instants, newest first, and when the nodes had taken it',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: ['environment', 'endpoint'] },
  errors: ['endpoint_not_found'],
  input: z.object({
    ...named,
    ...listInput,
    from: Instant.optional().describe('Spans that ended after this; all when left out'),
    until: Instant.optional().describe('Spans that began before this; now when left out'),
  }),
  output: pageOf(
    ServedSpan.extend({
      /** Nodes that said, while it was so, that they took it: how many, and when the first and the last of them did. */
      taken: z.object({ nodes: z.int(), first: Instant.nullable(), last: Instant.nullable() }),
    }),
  ),
})

export const whenServed = operation({
  name: 'when-served',
  method: 'GET',
  path: '/api/v1/models/:model/served',
  summary: 'Say when the versions of a model answered, where, and with what share of the requests, newest first',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: [] },
  errors: [],
  input: z.object({
    model: ModelName,
    version: z.int().min(1).optional().describe('Only this one'),
    environment: Name.optional(),
    at: Instant.optional().describe('Only what answered at this instant'),
    ...listInput,
  }),
  output: pageOf(
    ServedSpan.pick({ from: true, until: true, change: true, generation: true, entry: true }).extend({
      environment: Name,
      endpoint: Name,
      ...Shares.element.shape,
    }),
  ),
})
