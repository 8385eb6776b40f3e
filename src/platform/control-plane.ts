import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { openAnalytics } from './analytics/duckdb.ts'
import { refuseUnfinishedDatabase } from './backup/unfinished-restore.ts'
import { systemClock } from './clock.ts'
import { openLocalCompute } from './compute/local.ts'
import type { Config } from './config.ts'
import { checkpointsFile, createPlatform, type LedgerService } from './create-platform.ts'
import { createEgress } from './egress.ts'
import { createIds } from './ids.ts'
import { startJobs } from './jobs.ts'
import { kernelModule } from './kernel/module.ts'
import { followLedger } from './ledger/follow-ledger.ts'
import { publishEntries } from './ledger/publish-entries.ts'
import { requireSameLedger } from './ledger/require-same-ledger.ts'
import { loadSigningKey } from './ledger/signing-key.ts'
import { startSealer } from './ledger/start-sealer.ts'
import type { ModuleDefinition } from './module.ts'
import type { Platform } from './platform.ts'
import type { Services } from './services.ts'
import { listen } from './storage/database/listen.ts'
import { migrate } from './storage/database/migrate.ts'
import { openObjectStore } from './storage/objects/open-object-store.ts'
import { openOnlineStore } from './storage/online/open-online-store.ts'
import { createHttpServer } from './surfaces/http.ts'
import { createTelemetry } from './telemetry.ts'
import { openServerTls, type ServerTls, tlsDirectory } from './tls/server-tls.ts'
import { trustConfigured } from './tls/trust.ts'

export interface ControlPlane {
  platform: Platform
  http: FastifyInstance
  /** From now on the health check fails: balancers are to send nobody here. Requests are still answered. */
  retire(): void
  /** Seals what is committed now and lets subscribers see it. */
  flushLedger(): Promise<void>
  stop(): Promise<void>
}

export interface ControlPlaneOptions {
  config: Config & { dataDir: string }
  databaseUrl: string
  /** The server itself, when `databaseUrl` is a pooler. */
  directUrl?: string | undefined
  modules: readonly ModuleDefinition[]
  log: Logger
  /** This process is the only control plane of its database, so what is marked as running was orphaned by a crash. */
  alone: boolean
  /** Whether this process runs jobs; one that does not only takes them. */
  work?: boolean
  /** Workspaces that cron jobs run in. */
  workspaces: (platform: Platform) => Promise<string[]>
  onProgress?: (text: string) => void
  /** The template of a test database is migrated already. */
  migrated?: boolean
}

const dayMs = 86_400_000

/** Everything of the control plane but its PostgreSQL and its listening socket. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, log, directUrl, databaseUrl: anyUrl } = options
  const [databaseUrl, poolerUrl] = directUrl === undefined ? [anyUrl, undefined] : [directUrl, anyUrl]
  const modules = [kernelModule, ...options.modules]
  if (!options.migrated) {
    await refuseUnfinishedDatabase(databaseUrl)
    options.onProgress?.('bringing the database schema up to date')
    await migrate(databaseUrl, migrationSets(options.modules))
  }
  const stops: Array<() => Promise<void>> = []
  const stop = (): Promise<void> => stopAll(stops.splice(0).reverse(), log)
  try {
    const clock = systemClock
    const tls = await openServerTls({ config, directory: tlsDirectory(config.dataDir), clock, log })
    if (tls !== undefined) stops.push(async () => tls.close())
    const trustBundle = await trustConfigured(config)
    const telemetry = await createTelemetry({ service: 'pave-control-plane', otlpEndpoint: config.otlpEndpoint })
    const services = await openServices(config, tls, trustBundle)
    stops.push(services.analytics.close, services.online.close, services.compute.close)
    // A store that is down now is no reason to keep the rest from working.
    await services.objects
      .sweepTemp(clock.now() - dayMs)
      .catch((error) => log.warn({ err: error }, 'what interrupted uploads left behind could not be swept'))
    const platform = createPlatform({
      url: databaseUrl,
      poolerUrl,
      modules,
      clock,
      ids: createIds(clock.now),
      log,
      services,
      telemetry,
    })
    stops.push(platform.close)
    const key = await loadSigningKey(config.dataDir)
    await requireSameLedger(platform.systemPool, key, config.dataDir)
    let wakeFollowers = (_: ReadonlySet<string>): void => {}
    const publisher = publishEntries(platform, (operations) => wakeFollowers(operations))
    stops.push(publisher.stop)
    const instance = platform.ids.next()
    const listener = listen(
      databaseUrl,
      {
        pave_sealed: (sealedBy) => {
          if (sealedBy !== instance) publisher.wake()
        },
        pave_news: (payload) => platform.events.emit(JSON.parse(payload)),
      },
      { onGap: publisher.wake, onError: (error) => log.warn({ err: error }, 'the session that listens ended') },
    )
    stops.push(listener.stop)
    const sealer = startSealer({
      pool: platform.systemPool,
      clock,
      key,
      announceAs: instance,
      exportTo: checkpointsFile(config.dataDir),
      onSealed: publisher.wake,
      onError: (error) => log.error({ err: error }, 'the ledger could not be sealed'),
    })
    stops.push(sealer.stop)
    platform.onEntries(() => sealer.wake())
    platform.jobs = await startJobs(platform, {
      url: databaseUrl,
      definitions: modules.flatMap((module) => module.jobs ?? []),
      work: options.work ?? true,
      adoptOrphans: options.alone,
      workspaces: () => options.workspaces(platform),
    })
    stops.push(platform.jobs.stop)
    const followers = followLedger(platform, databaseUrl)
    stops.push(followers.stop)
    wakeFollowers = followers.wake
    let retired = false
    const http = await createHttpServer(platform, { tls, retired: () => retired })
    for (const module of modules) {
      const stopModule = await module.start?.(platform)
      if (stopModule !== undefined) stops.push(stopModule)
    }
    stops.push(async () => http.close())
    const retire = () => {
      retired = true
    }
    return { platform, http, retire, flushLedger: () => sealer.flush(), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One part that cannot stop keeps no other from stopping. */
async function stopAll(stops: ReadonlyArray<() => Promise<void>>, log: Logger): Promise<void> {
  for (const stop of stops) {
    try {
      await stop()
    } catch (error) {
      log.error({ err: error }, 'a part of the control plane did not stop cleanly')
    }
  }
}

export function migrationSets(modules: readonly ModuleDefinition[]) {
  return modules.flatMap(({ name, migrations }) =>
    migrations === undefined ? [] : [{ schema: name.replaceAll('-', '_'), migrations }],
  )
}

async function openServices(
  config: Config & { dataDir: string },
  tls: ServerTls | undefined,
  trustBundle: string | undefined,
): Promise<Omit<Services, LedgerService>> {
  const { dataDir } = config
  const objectsDir = join(dataDir, 'objects')
  const scratchDir = join(dataDir, 'scratch')
  const predictionsDir = join(dataDir, 'predictions')
  for (const directory of [objectsDir, scratchDir, predictionsDir, join(dataDir, 'ledger')]) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  }
  const objects = await openObjectStore(config.objectsUrl ?? pathToFileURL(objectsDir).href, {
    cacheDirectory: join(dataDir, 'object-copies'),
  })
  return {
    config,
    tls,
    objects,
    analytics: await openAnalytics({
      tempDir: join(dataDir, 'duckdb'),
      directories: [objects.localDirectory, scratchDir, predictionsDir],
      memoryLimitMb: 2048,
      threads: 2,
      timeoutMs: 120_000,
      maxChildren: 2,
    }),
    online: await openOnlineStore(config.onlineUrl ?? onlineUrlOf(dataDir)),
    compute: await openLocalCompute({
      dataDir,
      clock: systemClock,
      asRoot: config.uid === 0,
      node: { binary: process.execPath, version: process.version },
      trustBundle,
    }),
    egress: createEgress({ allowPrivate: config.egressAllow }),
  }
}

/** The embedded online store of a data directory. */
export function onlineUrlOf(dataDir: string): string {
  return `lmdb://${pathToFileURL(join(dataDir, 'online')).pathname}`
}
