import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { createWorkspace } from '#modules/identity/contract.ts'
import { modules } from '#modules/index.ts'
import { type Actor, systemActor } from '#platform/actor.ts'
import { loadConfig } from '#platform/config.ts'
import { type ControlPlane, startControlPlane } from '#platform/control-plane.ts'
import { openDataDirectory } from '#platform/data-directory.ts'
import type { ModuleDefinition } from '#platform/module.ts'
import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { things } from './things.ts'

export interface BenchPave {
  controlPlane: ControlPlane
  databaseUrl: string
  dataDir: string
  actor: Actor
  stop(): Promise<void>
}

/** A whole control plane on the embedded PostgreSQL with its real settings, so that a commit waits for the disk. */
export async function startPave({ extra = [] }: { extra?: readonly ModuleDefinition[] } = {}): Promise<BenchPave> {
  const directory = await openDataDirectory(await mkdtemp(join(tmpdir(), 'pave-bench-')), { command: 'bench' })
  const dataDir = directory.path
  const log = pino({ level: 'warn' }, pino.destination(2))
  const postgres = await startEmbeddedPostgres({ dataDir, log })
  const databaseUrl = postgres.superuserUrl('postgres')
  let workspace = ''
  const controlPlane = await startControlPlane({
    config: { ...loadConfig({}), dataDir },
    databaseUrl,
    modules: [...modules, ...extra, things],
    log,
    alone: true,
    workspaces: async () => [workspace],
  })
  workspace = controlPlane.platform.ids.next()
  const actor = systemActor(workspace)
  await controlPlane.platform.run(createWorkspace, { actor, input: { name: 'bench' } })
  return {
    controlPlane,
    databaseUrl,
    dataDir,
    actor,
    async stop() {
      await controlPlane.stop()
      await postgres.stop()
      await directory.release()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
