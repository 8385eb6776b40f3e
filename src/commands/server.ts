import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#platform/config.ts'
import { serveConsole } from '#platform/surfaces/console-files.ts'
import { localUrl } from '#platform/tls/server-names.ts'
import { requireTrusted, urlOnThisMachine } from '#platform/tls/this-machine.ts'
import { localAuthorities } from '#platform/tls/trust.ts'
import { buildConsoleIfStale, consoleDirectory } from '../console/build.ts'
import { type ClientFile, ensureClientFile, ensureWorkspace, inTurn, signInLink } from './bootstrap.ts'
import { followRequests, lingerMs } from './drain.ts'
import { listen, refuseTakenPort } from './listen.ts'
import { startShared } from './share.ts'
import { warnOfOpenTransport } from './warn-of-open-transport.ts'

export interface ControlServer {
  client: ClientFile
  signInLink: string
  stop(): Promise<void>
}

const drainMs = 10_000

/** One control plane of several: the API and the console. It takes jobs and leaves them to workers. */
export async function server(config: Config, onProgress: (text: string) => void): Promise<ControlServer> {
  await refuseTakenPort(config.host, config.port, 'PAVE_PORT')
  const logName = `server-${config.machine}-${config.port}`
  const shared = await startShared(config, { command: 'pave server', logName, work: false, onProgress })
  const { controlPlane, dataDir } = shared
  try {
    await buildConsoleIfStale(onProgress)
    serveConsole(controlPlane.http, consoleDirectory)
    const requests = followRequests(controlPlane.http.server)
    const { port } = await listen(controlPlane, config)
    const { platform } = controlPlane
    const { tls } = platform.services
    const url = urlOnThisMachine({ ...config, port }, tls)
    if (tls !== undefined) await requireTrusted(url)
    warnOfOpenTransport(config, 'Pave', onProgress)
    const { client, link } = await inTurn(platform, async () => {
      const workspace = await ensureWorkspace(platform)
      const inferenceUrl = localUrl({ ...config, port: config.inferencePort })
      const ca = localAuthorities({ ...config, dataDir })
      const client = await ensureClientFile(platform, workspace, dataDir, { url, inferenceUrl, ca })
      return { client, link: await signInLink(platform, workspace, config.url ?? url) }
    })
    return {
      client,
      signInLink: link,
      async stop() {
        controlPlane.retire()
        await sleep(lingerMs)
        await requests.drain(drainMs)
        await shared.stop()
      },
    }
  } catch (error) {
    await shared.stop()
    throw error
  }
}
