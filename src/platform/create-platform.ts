import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import { signCheckpoint } from './ledger/checkpoint.ts'
import { exportLedger } from './ledger/export.ts'
import { readHead } from './ledger/leaves.ts'
import { proveConsistency, proveEntry } from './ledger/prove.ts'
import { formatVerifierKey, keyFiles, loadSigningKey, loadVerifierKey } from './ledger/signing-key.ts'
import { verifyLedger } from './ledger/verify.ts'
import { approvalRequired } from './pending-operation.ts'
import type { AdmissionVoice, Events, Handler, Jobs, ModuleDefinition, Platform } from './platform.ts'
import { runOperation } from './run-operation.ts'
import type { Services, SignedProof } from './services.ts'
import { openKysely, openPool } from './storage/database/database.ts'
import { inTransaction } from './storage/database/transaction.ts'
import { isPending } from './surfaces/client.ts'
import type { Telemetry } from './telemetry.ts'

export interface PlatformOptions {
  /** PostgreSQL itself. */
  url: string
  /** A pooler before it that lends a session for one transaction at a time: what requests do goes through it. */
  poolerUrl: string | undefined
  modules: readonly ModuleDefinition[]
  clock: Clock
  ids: Ids
  log: Logger
  services: Omit<Services, LedgerService>
  telemetry: Telemetry
}

/** What the platform adds to the services, because it needs its own pools and all modules. */
export type LedgerService = 'verifyLedger' | 'exportLedger' | 'proveLeaf' | 'searchSources'

const refusalsPerMinute = 60
/** Longer than PostgreSQL itself lets a statement of the app run. */
const answerWithinMs = 75_000
const lookUpWithinMs = 15_000

/** Opens the pools and gathers what the modules declare; jobs are attached by `startJobs`. */
export function createPlatform(options: PlatformOptions): Platform {
  const onError = (error: Error) => options.log.warn({ reason: error.message }, 'a database session ended')
  const { url, poolerUrl } = options
  const appOptions = { max: 12, onError, applicationName: 'pave pave_app', answerWithinMs }
  const appPool = poolerUrl
    ? openPool(poolerUrl, undefined, appOptions)
    : openPool(url, 'pave_app', { ...appOptions, pipeline: true })
  const systemPool = openPool(url, 'pave_system', { max: 4, onError })
  // Of their own: whoever reads the whole ledger must keep nobody from being recognized by a token.
  const lookUps = openKysely(openPool(url, 'pave_system', { max: 2, onError, answerWithinMs: lookUpWithinMs }))
  const handlers = new Map<string, Handler>()
  const voices = new Map<string, AdmissionVoice[]>()
  for (const module of options.modules) {
    for (const handler of module.handlers) {
      if (handlers.has(handler.operation.name)) throw new TypeError(`Two handlers for ${handler.operation.name}`)
      handlers.set(handler.operation.name, handler)
    }
    for (const [point, voice] of Object.entries(module.admissions ?? {})) {
      voices.set(point, [...(voices.get(point) ?? []), voice])
    }
  }
  const authenticator = options.modules.find((module) => module.authenticate !== undefined)
  let wake: () => void = () => {}
  const platform: Platform = {
    modules: options.modules,
    operations: new Map([...handlers.values()].map((handler) => [handler.operation.name, handler.operation])),
    clock: options.clock,
    ids: options.ids,
    log: options.log,
    services: {
      ...options.services,
      verifyLedger: () => verify(systemPool, options.services.config.dataDir),
      exportLedger: () => exportTo(systemPool, options.services.config.dataDir),
      proveLeaf: (leaf, since) => prove(systemPool, options.services.config.dataDir, leaf, since),
      searchSources: options.modules.flatMap((module) => module.search ?? []),
    },
    telemetry: options.telemetry,
    jobs: unstartedJobs,
    events: createEvents(),
    refusals: createRefusalLimit(options.clock),
    handler(name) {
      const handler = handlers.get(name)
      if (handler === undefined) throw new TypeError(`No handler for ${name}`)
      return handler
    },
    voices: (point) => voices.get(point) ?? [],
    authenticate: async (token) => authenticator?.authenticate?.(platform, token),
    refreshed: async (actor) => ({
      ...actor,
      grants: (await authenticator?.currentGrants?.(platform, actor)) ?? actor.grants,
    }),
    async run(operation, call) {
      const { output } = await runOperation(platform, operation, call)
      if (isPending(output)) throw approvalRequired(output)
      return output
    },
    transaction(workspace, work, { readOnly = false } = {}) {
      const operationId = options.ids.next()
      const scope = { workspace, operation: operationId, readOnly }
      return inTransaction(appPool, scope, (db, atCommit) => work(db, operationId, atCommit))
    },
    read: (workspace, question) => platform.transaction(workspace, question, { readOnly: true }),
    system: lookUps,
    systemPool,
    wakeSealer: () => wake(),
    onEntries: (listener) => {
      wake = listener
    },
    close: async () => {
      await appPool.end()
      await systemPool.end()
      await lookUps.destroy()
      await options.telemetry.close()
    },
  }
  return platform
}

async function verify(pool: Pool, dataDir: string) {
  const { publicFile } = keyFiles(dataDir)
  const client = await pool.connect()
  try {
    const { entries, checkpoints, problems, statements } = await verifyLedger({
      client,
      checkpointsFile: checkpointsFile(dataDir),
      publicKey: await loadVerifierKey(publicFile),
    })
    return { entries, verified: problems.length === 0, checkpoints, problems, statements }
  } finally {
    client.release()
  }
}

async function exportTo(pool: Pool, dataDir: string) {
  const path = join(dataDir, 'ledger', 'export.ndjson')
  const client = await pool.connect()
  try {
    return { entries: await exportLedger({ client, path, key: await loadSigningKey(dataDir) }), path }
  } finally {
    client.release()
  }
}

/** Leaves are only ever added, so that what is read after the head belongs to it. */
async function prove(pool: Pool, dataDir: string, leaf: number, since: number | undefined): Promise<SignedProof> {
  const key = await loadSigningKey(dataDir)
  const client = await pool.connect()
  try {
    const head = await readHead(client)
    const proof = await proveEntry(client, leaf, head.size)
    const from = since !== undefined && since <= head.size ? since : undefined
    return {
      ...proof,
      checkpoint: signCheckpoint(head, key),
      key: formatVerifierKey(key.verifier),
      consistency: from === undefined ? undefined : { from, path: await proveConsistency(client, from, head.size) },
    }
  } finally {
    client.release()
  }
}

/** Where signed checkpoints are exported; copy it elsewhere now and then, and nobody can rewrite the past unseen. */
export function checkpointsFile(dataDir: string): string {
  return join(dataDir, 'ledger', 'checkpoints')
}

const unstartedJobs: Jobs = {
  start: () => Promise.reject(new Error('Jobs are not started in this process')),
  cancel: () => Promise.reject(new Error('Jobs are not started in this process')),
  retry: () => Promise.reject(new Error('Jobs are not started in this process')),
  stop: async () => {},
}

function createEvents(): Events {
  const emitter = new EventEmitter()
  emitter.setMaxListeners(0)
  return {
    emit: (event) => void emitter.emit(event.workspace, event),
    follow(workspace, listener) {
      emitter.on(workspace, listener)
      return () => void emitter.off(workspace, listener)
    },
  }
}

/** A fixed window for each actor: a refused caller in a loop must not fill the ledger. */
function createRefusalLimit(clock: Clock) {
  const seen = new Map<string, { minute: number; count: number }>()
  return {
    allow(actor: string): boolean {
      const minute = Math.floor(clock.now() / 60_000)
      const window = seen.get(actor)
      if (window === undefined || window.minute !== minute) {
        if (seen.size > 10_000) seen.clear()
        seen.set(actor, { minute, count: 1 })
        return true
      }
      window.count += 1
      return window.count <= refusalsPerMinute
    },
  }
}
