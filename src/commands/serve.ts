import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type InferenceNode, serve } from '#inference/serve.ts'
import { planPublicKeyFile } from '#modules/releases/plan-key.ts'
import { systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { onlineUrlOf } from '#platform/control-plane.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { createIds } from '#platform/ids.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { createLogger } from '#platform/telemetry.ts'

/** An inference node beside the control plane's data directory: it shares the online store and the plan's public key. */
export async function serveNode(
  config: Config,
  { environment, name }: { environment: string; name: string },
): Promise<InferenceNode> {
  const { url, token } = config
  if (url === undefined || token === undefined) {
    throw clientFailure('usage', 'An inference node needs the address of its control plane and a node token', {
      hint: 'Set PAVE_URL and PAVE_TOKEN; `pave create-token` makes one for a principal with the role node.',
    })
  }
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const clock = systemClock
  return serve({
    environment,
    nodeName: name,
    directory: join(dataDir, 'nodes', name),
    listen: { host: config.host, port: config.inferencePort },
    controlUrl: url,
    nodeToken: token,
    planPublicKey: await readFile(planPublicKeyFile(dataDir), 'utf8'),
    onlineUrl: config.onlineUrl ?? onlineUrlOf(dataDir),
    log: createLogger(config.logLevel, join(dataDir, 'logs', `${name}.log`)),
    clock,
    ids: createIds(clock.now),
  })
}
