import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Override, writeOverrides } from '#inference/override.ts'
import { ServingPlan, SignedServingPlan } from '#modules/releases/contract.ts'
import { systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'

export interface OverrideOptions {
  endpoint: string | undefined
  version: string | undefined
  node: string
  reason: string
  /** Take the node's overrides back instead. */
  clear: boolean
}

/**
 * The kill switch for when the control plane cannot be reached: on the node's own machine, all traffic of an endpoint to
 * a version that the node holds. It lasts until it is cleared, and the node reports it when the control plane is back.
 */
export async function override(config: Config, options: OverrideOptions, output: Output): Promise<number> {
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const directory = join(dataDir, 'nodes', options.node)
  const plan = await lastPlan(directory)
  if (options.clear) {
    await writeOverrides(directory, plan.environment, [])
    output.out(`${options.node} follows its serving plan again`)
    return exitCodes.ok
  }
  const { endpoint, version } = options
  const served = plan.endpoints.find((one) => one.endpoint === endpoint)
  if (served === undefined || version === undefined || !plan.versions.some((one) => one.ref === version)) {
    throw clientFailure('usage', `${options.node} has no endpoint ${endpoint} with a version ${version}`, {
      hint: `Endpoints: ${plan.endpoints.map((one) => one.endpoint).join(', ')}; versions: ${plan.versions.map((one) => one.ref).join(', ')}`,
    })
  }
  const forced: Override = {
    workspace: served.workspace,
    endpoint: served.endpoint,
    version,
    reason: options.reason,
    actor: `uid ${config.uid ?? 'unknown'}`,
    at: systemClock.iso(),
  }
  await writeOverrides(directory, plan.environment, [forced])
  output.out(`${options.node} sends all traffic of ${endpoint} to ${version} within a second`)
  return exitCodes.ok
}

async function lastPlan(directory: string): Promise<ServingPlan> {
  const text = await readFile(join(directory, 'plan.json'), 'utf8').catch(() => undefined)
  if (text === undefined) {
    throw clientFailure('usage', `No inference node keeps its plan in ${directory}`, {
      hint: 'Run this on the machine of the node, with its data directory in PAVE_DATA_DIR and its name in --node.',
    })
  }
  const plans = z
    .array(SignedServingPlan)
    .parse(JSON.parse(text))
    .map((signed) => ServingPlan.parse(JSON.parse(signed.payload)))
  const newest = plans.toSorted((a, b) => b.generation - a.generation)[0]
  if (newest === undefined)
    throw clientFailure('usage', 'The node has taken no serving plan yet', { hint: 'Wait for it.' })
  return newest
}
