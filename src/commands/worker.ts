import { createServer, type Server } from 'node:http'
import type { Config } from '#platform/config.ts'
import type { Platform } from '#platform/platform.ts'
import { startupFailure } from '#platform/startup-error.ts'
import { listenOn, refuseTakenPort } from './listen.ts'
import { startShared } from './share.ts'

export interface Worker {
  healthUrl: string
  stop(): Promise<void>
}

/** Runs jobs: pipelines, materialization, whatever cron starts. It answers for its health, and nothing else. */
export async function worker(config: Config, onProgress: (text: string) => void): Promise<Worker> {
  if (config.url === undefined) {
    throw startupFailure(
      'invalid_configuration',
      'The steps that `pave worker` starts ask a control plane, and need PAVE_URL',
      {
        hint: 'Set PAVE_URL to the address of `pave server`, or of the balancer before several.',
      },
    )
  }
  await refuseTakenPort(config.host, config.workerPort, 'PAVE_WORKER_PORT')
  const logName = `worker-${config.machine}-${config.workerPort}`
  const shared = await startShared(config, { command: 'pave worker', logName, work: true, onProgress })
  const health = healthServer(shared.controlPlane.platform)
  try {
    const port = await listenOn(health, config.host, config.workerPort, 'PAVE_WORKER_PORT')
    return {
      healthUrl: `http://${config.host}:${port}/health`,
      async stop() {
        health.close()
        health.closeAllConnections()
        await shared.stop()
      },
    }
  } catch (error) {
    await shared.stop()
    throw error
  }
}

/** `/health` fails while the database cannot be asked, so that an orchestrator waits rather than replaces. */
function healthServer({ systemPool, telemetry }: Platform): Server {
  return createServer((request, response) => {
    const answer = (status: number, type: string, text: string) =>
      response.writeHead(status, { 'content-type': type }).end(text)
    const json = 'application/json'
    if (request.url === '/health') {
      systemPool.query('select 1').then(
        () => answer(200, json, '{"status":"ok"}'),
        () => answer(503, json, '{"status":"database_unavailable"}'),
      )
    } else if (request.url === '/metrics') {
      telemetry.registry.metrics().then(
        (text) => answer(200, telemetry.registry.contentType, text),
        (error) => answer(500, 'text/plain', String(error)),
      )
    } else answer(404, json, '{"status":"not_found"}')
  })
}
