import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Actor } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Handler } from './context.ts'
import type { Ids } from './ids.ts'
import type { Jobs } from './jobs.ts'
import { keyFiles, loadVerifierKey } from './ledger/signing-key.ts'
import { verifyLedger } from './ledger/verify.ts'
import type { AdmissionVoice, ModuleDefinition } from './module.ts'
import type { Operation, OutputOf } from './operation.ts'
import { type OperationCall, runOperation } from './run-operation.ts'
import type { Services } from './services.ts'
import { type Db, openKysely, openPool } from './storage/database/database.ts'
import type { Telemetry } from './telemetry.ts'

/** News for whoever follows this workspace by server-sent events. */
export interface Event {
  workspace: string
  type: 'entry' | 'job'
  data: Record<string, unknown>
}

export interface Events {
  emit(event: Event): void
  follow(workspace: string, listener: (event: Event) => void): () => void
}

export interface Platform {
  modules: readonly ModuleDefinition[]
  operations: ReadonlyMap<string, Operation>
  clock: Clock
  ids: Ids
  log: Logger
  services: Services
  telemetry: Telemetry
  jobs: Jobs
  events: Events
  refusals: { allow(actor: string): boolean }
  handler(operation: string): Handler
  voices(point: string): readonly AdmissionVoice[]
  authenticate(token: string): Promise<Actor | undefined>
  /** Runs an operation; throws PaveError. Waiting for approval is an error here: use runOperation to tell it apart. */
  run<Op extends Operation>(
    operation: Op,
    call: Omit<OperationCall, 'input'> & { input: z.input<Op['input']> },
  ): Promise<OutputOf<Op>>
  /** One transaction of one workspace with its own operation id; the kernel's own use and run-operation's. */
  transaction<T>(
    workspace: string,
    work: (db: Db, operationId: string) => Promise<T>,
    options?: { readOnly?: boolean },
  ): Promise<T>
  /** A question in a read-only transaction of one workspace. */
  read<T>(workspace: string, question: (db: Db) => Promise<T>): Promise<T>
  /** Across workspaces, for sweeps and sealing: bypasses row-level security, may not write tenants' tables. */
  system: Kysely<unknown>
  systemPool: ReturnType<typeof openPool>
  wakeSealer(): void
  onEntries(wake: () => void): void
  close(): Promise<void>
}

export interface PlatformOptions {
  url: string
  modules: readonly ModuleDefinition[]
  clock: Clock
  ids: Ids
  log: Logger
  services: Omit<Services, 'verifyLedger'>
  telemetry: Telemetry
}

const refusalsPerMinute = 60

/** Opens the pools and gathers what the modules declare; jobs are attached by `startJobs`. */
export function createPlatform(options: PlatformOptions): Platform {
  const onError = (error: Error) => options.log.warn({ err: error }, 'a database session ended')
  const appPool = openPool(options.url, 'pave_app', { max: 12, onError })
  const systemPool = openPool(options.url, 'pave_system', { max: 4, onError })
  const app = openKysely(appPool)
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
    services: { ...options.services, verifyLedger: () => verify(systemPool, options.services.config.dataDir) },
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
    run: async (operation, call) => (await runOperation(platform, operation, call)).output,
    transaction(workspace, work, { readOnly = false } = {}) {
      const operationId = options.ids.next()
      const builder = readOnly ? app.transaction().setAccessMode('read only') : app.transaction()
      return builder.execute(async (db) => {
        await sql`select set_config('app.workspace', ${workspace}, true), set_config('app.operation', ${operationId}, true)`.execute(
          db,
        )
        return work(db, operationId)
      })
    },
    read: (workspace, question) => platform.transaction(workspace, question, { readOnly: true }),
    system: openKysely(systemPool),
    systemPool,
    wakeSealer: () => wake(),
    onEntries: (listener) => {
      wake = listener
    },
    close: async () => {
      await app.destroy()
      await platform.system.destroy()
      await options.telemetry.close()
    },
  }
  return platform
}

async function verify(pool: ReturnType<typeof openPool>, dataDir: string) {
  const { publicFile } = keyFiles(dataDir)
  const client = await pool.connect()
  try {
    const { entries, checkpoints, problems } = await verifyLedger({
      client,
      checkpointsFile: checkpointsFile(dataDir),
      publicKey: await loadVerifierKey(publicFile),
    })
    return { entries, verified: problems.length === 0, checkpoints, problems }
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
