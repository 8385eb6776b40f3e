import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Instant, listInput, Name, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** `INC-1`: what people call an incident. */
const IncidentName = z.string().regex(/^INC-[1-9]\d{0,8}$/, 'an incident is called INC-1')

const Subject = z.object({ kind: z.string().max(100), id: z.string().max(400) })

export const IncidentSeverity = z.enum(['low', 'medium', 'high'])

export const Incident = z.object({
  incident: IncidentName,
  /** What ledger entries call it. */
  id: z.uuid(),
  title: z.string(),
  severity: IncidentSeverity,
  state: z.enum(['open', 'resolved']),
  environment: Name.nullable(),
  endpoint: Name.nullable(),
  /** The ledger's object that opened it: a release that was rolled back, a finding. One incident for each. */
  cause: Subject,
  /** Whatever the timeline is about. */
  subjects: z.array(Subject),
  /** When the harm itself was over, as after an automatic rollback; null while it may go on. */
  mitigatedAt: Instant.nullable(),
  openedAt: Instant,
  resolvedAt: Instant.nullable(),
  resolution: z.string().nullable(),
})
export type Incident = z.infer<typeof Incident>

export const openIncident = operation({
  name: 'open-incident',
  method: 'POST',
  path: '/api/v1/incidents',
  summary: 'Open an incident; automatic rollbacks and grave findings do this by themselves',
  effect: 'write',
  permission: { verb: 'incident:open', on: ['environment', 'endpoint'] },
  errors: [],
  input: z.object({
    title: z.string().min(1).max(300),
    severity: IncidentSeverity,
    environment: Name.optional(),
    endpoint: Name.optional(),
    cause: Subject,
    subjects: z.array(Subject).max(50).default([]),
    mitigated: z.boolean().default(false),
  }),
  output: Incident,
})

export const listIncidents = operation({
  name: 'list-incidents',
  method: 'GET',
  path: '/api/v1/incidents',
  summary: 'List incidents, newest first',
  effect: 'read',
  permission: { verb: 'incident:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    state: z.enum(['open', 'resolved']).optional(),
    severity: IncidentSeverity.optional(),
    environment: Name.optional(),
    endpoint: Name.optional(),
    /** The one that this opened: the id of a release or a finding. */
    cause: z.string().max(400).optional(),
    /** Part of the name or the title, in any case. */
    search: z.string().max(200).optional(),
  }),
  output: pageOf(Incident),
})

const TimelineItem = z.object({
  at: Instant,
  /** Operation of the ledger entry, or `comment`. */
  what: z.string(),
  outcome: z.enum(['done', 'pending', 'refused', 'failed']),
  actor: z.uuid(),
  /** A person's, a service account's or Pave's. */
  actorName: z.string().nullable(),
  subjects: z.array(Subject),
  facts: z.record(z.string(), z.unknown()),
  /** Of the ledger; null for comments. */
  entry: z.uuid().nullable(),
  /** Position in the sealed ledger; null for comments, and until an entry is sealed. */
  leaf: z.int().nullable(),
  comment: z.string().nullable(),
})
export type TimelineItem = z.infer<typeof TimelineItem>

export const getIncident = operation({
  name: 'get-incident',
  method: 'GET',
  path: '/api/v1/incidents/:incident',
  summary:
    'Read an incident with its timeline: what the ledger and people say from an hour before until it was resolved',
  effect: 'read',
  permission: { verb: 'incident:read', on: [] },
  errors: ['incident_not_found'],
  /** By its name, or by what ledger entries call it. */
  input: z.object({ incident: z.union([IncidentName, z.uuid()]) }),
  output: Incident.extend({ timeline: z.array(TimelineItem) }),
})

export const commentIncident = operation({
  name: 'comment-incident',
  method: 'POST',
  path: '/api/v1/incidents/:incident/comments',
  summary: 'Add a comment to the timeline of an incident',
  effect: 'write',
  permission: { verb: 'incident:comment', on: [] },
  errors: ['incident_not_found'],
  input: z.object({ incident: IncidentName, text: z.string().min(1).max(10_000) }),
  output: z.object({ incident: IncidentName, at: Instant }),
})

export const mitigateIncident = operation({
  name: 'mitigate-incident',
  method: 'POST',
  path: '/api/v1/incidents/:incident/mitigate',
  summary: 'Say that the harm itself is over while the cause is still looked for; rollbacks say it by themselves',
  effect: 'write',
  permission: { verb: 'incident:mitigate', on: [] },
  errors: ['incident_not_found', 'incident_resolved'],
  input: z.object({ incident: IncidentName, how: z.string().min(1).max(500) }),
  output: Incident,
})

export const resolveIncident = operation({
  name: 'resolve-incident',
  method: 'POST',
  path: '/api/v1/incidents/:incident/resolve',
  summary: 'Close an incident',
  effect: 'write',
  permission: { verb: 'incident:resolve', on: [] },
  errors: ['incident_not_found', 'incident_resolved'],
  input: z.object({ incident: IncidentName, resolution: z.string().min(1).max(10_000) }),
  output: Incident,
})

export const errors = defineErrors({
  incident_not_found: {
    status: 404,
    summary: 'No incident has this number.',
    hint: 'List incidents with `pave list-incidents`.',
  },
  incident_resolved: {
    status: 409,
    summary: 'The incident is resolved already.',
    hint: 'Add what is missing as a comment, or open a new incident.',
  },
})
