import { z } from 'zod'
import type { Subscriber } from '#platform/module.ts'
import { mitigateIncident, openIncident } from './contract.ts'
import { unmitigatedIncidents } from './tables.ts'

const endpointOf = (id: string) => {
  const [environment = '', endpoint = ''] = id.split('/')
  return { environment, endpoint }
}

/** Facts of `rollback-release` that an incident is made of. */
const Rollback = z.object({
  release: z.uuid(),
  /** `environment/endpoint`. */
  endpoint: z.string(),
  version: z.string(),
  toVersion: z.string().nullable(),
  reason: z.string(),
  automatic: z.literal(true),
})

export const openOnRollback: Subscriber = {
  name: 'open-incidents-on-rollbacks',
  operations: ['rollback-release'],
  async handle(ctx, entry) {
    const facts = Rollback.safeParse(entry.facts)
    if (entry.outcome !== 'done' || !facts.success) return
    const { release, endpoint, version, toVersion, reason } = facts.data
    const title = `${version} was rolled back from ${endpoint}: ${reason}`
    await ctx.run('open', openIncident, {
      title: title.slice(0, 300),
      severity: 'high',
      ...endpointOf(endpoint),
      cause: { kind: 'release', id: release },
      subjects: [
        { kind: 'endpoint', id: endpoint },
        { kind: 'version', id: version },
      ],
      // Traffic is back on the version before, when there was one.
      mitigated: toVersion !== null,
    })
  },
}

const RolledBack = Rollback.pick({ endpoint: true, version: true, toVersion: true })

/** Whoever rolls an endpoint back ends the harm of its open incidents; why it came to that is still to be found. */
export const mitigateOnRollback: Subscriber = {
  name: 'mitigate-incidents-on-rollbacks',
  operations: ['rollback-release'],
  async handle(ctx, entry) {
    const facts = RolledBack.safeParse(entry.facts)
    if (entry.outcome !== 'done' || !facts.success || facts.data.toVersion === null) return
    const { endpoint, version, toVersion } = facts.data
    const { environment, endpoint: name } = endpointOf(endpoint)
    const open = await ctx.platform.read(entry.workspace, (db) => unmitigatedIncidents(db, environment, name, entry.at))
    for (const incident of open) {
      await ctx.run(incident, mitigateIncident, { incident, how: `${version} was rolled back to ${toVersion}` })
    }
  },
}

/** Facts of `raise-finding`. */
const Grave = z.object({
  kind: z.string(),
  feature: z.string().nullable(),
  value: z.number(),
  threshold: z.number(),
  version: z.string(),
  severity: z.literal('high'),
})

export const openOnFinding: Subscriber = {
  name: 'open-incidents-on-findings',
  operations: ['raise-finding'],
  async handle(ctx, entry) {
    const facts = Grave.safeParse(entry.facts)
    const finding = entry.subjects.find(({ kind }) => kind === 'finding')?.id
    const endpoint = entry.subjects.find(({ kind }) => kind === 'endpoint')?.id
    if (entry.outcome !== 'done' || !facts.success || finding === undefined || endpoint === undefined) return
    const { kind, feature, value, threshold, version } = facts.data
    const what = feature === null ? kind.replaceAll('_', ' ') : `${kind} of ${feature}`
    await ctx.run('open', openIncident, {
      title: `${what} on ${endpoint} is ${value.toFixed(3)}, the limit is ${threshold.toFixed(3)}`,
      severity: 'high',
      ...endpointOf(endpoint),
      cause: { kind: 'finding', id: finding },
      subjects: [
        { kind: 'endpoint', id: endpoint },
        { kind: 'version', id: version },
      ],
    })
  },
}
