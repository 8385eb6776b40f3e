import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { z } from 'zod'
import { bindRole, createPrincipal, createWorkspace, type Role } from '#modules/identity/contract.ts'
import { grantOf } from '#modules/identity/roles.ts'
import { modules as allModules } from '#modules/index.ts'
import { type Actor, systemActor } from '#platform/actor.ts'
import { loadConfig } from '#platform/config.ts'
import { type ControlPlane, migrationSets, startControlPlane } from '#platform/control-plane.ts'
import { getJob } from '#platform/kernel/contract.ts'
import type { ModuleDefinition } from '#platform/module.ts'
import type { AnswerOf, Operation } from '#platform/operation.ts'
import type { Platform } from '#platform/platform.ts'
import { migrate } from '#platform/storage/database/migrate.ts'
import { prepareRoles } from '#platform/storage/database/prepare-roles.ts'
import { createTestDatabase } from './postgres.ts'

export interface TestPlatform {
  controlPlane: ControlPlane
  platform: Platform
  databaseUrl: string
  dataDir: string
  workspace: string
  /** Somebody with a role in the whole workspace, made on first use: `as('ada', 'contributor')`. */
  as(name: string, role?: Role): Promise<Actor>
  /** Runs an operation, as Pave itself unless an actor is given. */
  run<Op extends Operation>(
    operation: Op,
    input: z.input<Op['input']>,
    options?: { as?: Actor; idempotencyKey?: string; ifMatch?: string },
  ): Promise<AnswerOf<Op>>
  /** Waits until a job has ended, and fails the test when it did not end well. */
  finished(job: string): Promise<unknown>
  drop(): Promise<void>
}

/**
 * A whole control plane on a real PostgreSQL, in a data directory of its own, with one workspace. `extra` modules come
 * after the others: what a test of the kernel declares for itself.
 */
export async function createTestPlatform(
  options: { modules?: readonly ModuleDefinition[]; extra?: readonly ModuleDefinition[] } = {},
): Promise<TestPlatform> {
  const modules = [...(options.modules ?? allModules), ...(options.extra ?? [])]
  const database = await createTestDatabase({
    template: {
      name: `pave ${modules.map((module) => module.name).join(' ')}`,
      build: async (url) => void (await migrate(url, migrationSets(modules))),
    },
  })
  // A database made from a template has its own rights, and those of the roles are not among what is copied.
  await prepareRoles(database.url)
  const dataDir = await mkdtemp(join(tmpdir(), 'pave-test-'))
  const controlPlane = await startControlPlane({
    config: { ...loadConfig({}), dataDir, egressAllow: ['127.0.0.0/8'] },
    databaseUrl: database.url,
    modules,
    log: pino({ level: 'silent' }),
    alone: true,
    workspaces: async () => [workspace],
    migrated: true,
  })
  const { platform } = controlPlane
  const workspace = platform.ids.next()
  await platform.run(createWorkspace, { actor: systemActor(workspace), input: { name: 'test' } })
  const people = new Map<string, Actor>()
  return {
    controlPlane,
    platform,
    databaseUrl: database.url,
    dataDir,
    workspace,
    async as(name, role = 'admin') {
      const known = people.get(name)
      if (known !== undefined) return known
      const system = systemActor(workspace)
      const principal = await platform.run(createPrincipal, { actor: system, input: { name } })
      await platform.run(bindRole, { actor: system, input: { principal: name, role } })
      const actor: Actor = { kind: 'user', id: principal.id, name, workspace, grants: [grantOf(role, {})] }
      people.set(name, actor)
      return actor
    },
    run: (operation, input, { as, ...call } = {}) =>
      platform.run(operation, { actor: as ?? systemActor(workspace), input, ...call }),
    async finished(id) {
      for (;;) {
        const job = await platform.run(getJob, { actor: systemActor(workspace), input: { job: id, wait: 20 } })
        if (job.state === 'done') return job.result
        if (job.state === 'failed' || job.state === 'cancelled') {
          throw new Error(`Job ${job.job} ${job.state}: ${job.error?.code} ${job.error?.message}`)
        }
      }
    },
    async drop() {
      await controlPlane.stop()
      await database.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
