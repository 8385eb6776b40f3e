import { serve } from '#inference/serve.ts'
import { systemClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createLogger } from '#platform/telemetry.ts'

// An inference node as `pave serve` starts it, on a control plane of the benchmark.

const env = (name: string) => process.env[name] ?? ''
const node = await serve({
  environment: 'prod',
  nodeName: 'bench',
  directory: env('DIRECTORY'),
  listen: { host: '127.0.0.1', port: Number(env('PORT')) },
  controlUrl: env('CONTROL_URL'),
  nodeToken: env('NODE_TOKEN'),
  planPublicKey: env('PLAN_KEY'),
  onlineUrl: env('ONLINE_URL'),
  log: createLogger('error'),
  clock: systemClock,
  ids: createIds(systemClock.now),
})
process.on('SIGTERM', () => void node.close().then(() => process.exit(0)))
