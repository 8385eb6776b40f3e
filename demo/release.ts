import { evaluateGates } from '../src/modules/governance/contract.ts'
import { type Endpoint, getEndpoint, listReleases, startRelease } from '../src/modules/releases/contract.ts'
import { PaveError } from '../src/platform/errors.ts'
import { approve, listPendingOperations } from '../src/platform/kernel/contract.ts'
import { type Client, isPending } from '../src/platform/surfaces/client.ts'
import { patiently } from './patience.ts'
import type { People } from './people.ts'

export const place = { environment: 'prod', endpoint: 'flight-delays' }

export interface GateResult {
  version: string
  passed: boolean
  failedRules: string[]
  /** Each failed rule with its numbers. */
  why: string
}

export async function gatesOf(client: Client, version: string): Promise<GateResult> {
  const gates = await patiently(() => client.call(evaluateGates, { version }))
  const failed = gates.rules.filter((rule) => !rule.passed)
  return {
    version,
    passed: gates.passed,
    failedRules: failed.map((rule) => rule.rule),
    why: failed.map((rule) => `${rule.rule} (${numbersOf(rule.values)})`).join('; '),
  }
}

function numbersOf(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        `${name.replace('version.', '')} ${typeof value === 'number' ? value.toFixed(4) : String(value)}`,
    )
    .join(', ')
}

/** Once for each version, Ada asks for the release and Grace, who is not the author, approves it. The gates may refuse. */
export async function releaseVersion(people: People, version: string): Promise<{ started: boolean; refusal: string }> {
  const { items: releases } = await patiently(() => people.ada.call(listReleases, { ...place, limit: 200 }))
  if (releases.some((release) => release.version === version)) return { started: true, refusal: '' }
  try {
    const { output } = await patiently(() => people.ada.request(startRelease, { ...place, version }))
    if (!isPending(output)) return { started: true, refusal: '' }
    await patiently(() =>
      people.grace.call(approve, { pending: output.pending.id, comment: 'Numbers and slices look right' }),
    )
    await approvedRelease(people.grace, output.pending.id)
    return { started: true, refusal: '' }
  } catch (error) {
    if (error instanceof PaveError && error.code === 'admission_denied')
      return { started: false, refusal: error.message }
    throw error
  }
}

async function approvedRelease(client: Client, pending: string): Promise<void> {
  for (;;) {
    const { items } = await patiently(() => client.call(listPendingOperations, { state: 'all', limit: 200 }))
    const found = items.find((item) => item.id === pending)
    if (found?.state === 'done') return
    if (found !== undefined && found.state !== 'pending') {
      throw new Error(`The approved release is ${found.state}: ${JSON.stringify(found.outcome)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function readEndpoint(client: Client): Promise<Endpoint> {
  return patiently(() => client.call(getEndpoint, place))
}

/** Until every node applied the newest plan with what serves now. */
export async function nodesFollow(client: Client): Promise<Endpoint> {
  for (;;) {
    const endpoint = await readEndpoint(client)
    const { generation, nodes } = endpoint
    if (generation !== null && nodes.length > 0 && nodes.every((node) => node.generation >= generation)) return endpoint
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
