import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import pino from 'pino'
import { z } from 'zod'
import { loadConfig } from './config.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { defineJob } from './job.ts'
import { defineModule } from './module.ts'
import { probe, writeNote } from './probe.fixture.ts'

/** Fails so many times, with an error of ours or with a defect, then answers its attempt. */
export const failing = defineJob({
  name: 'failing',
  input: z.object({ times: z.int().default(0), status: z.int().default(500) }),
  retries: 1,
  timeoutMs: 10_000,
  async run({ attempt }, { times }) {
    if (attempt <= times) throw new Error(`attempt ${attempt} fails`)
    return { attempt }
  },
})

/** Writes a note, waits until a file is there, and writes another: each once, however often it is started over. */
export const patient = defineJob({
  name: 'patient',
  input: z.object({ file: z.string(), name: z.string() }),
  retries: 0,
  timeoutMs: 60_000,
  async run(ctx, { file, name }) {
    await ctx.run('first', writeNote, { shelf: 's', text: `${name} first` })
    await ctx.progress(0.5, 'waiting')
    while (!existsSync(file)) await setTimeout(20, undefined, { signal: ctx.signal })
    await ctx.run('second', writeNote, { shelf: 's', text: `${name} second` })
    return { attempt: ctx.attempt }
  },
})

/** Does not end by itself, and not in time. */
export const late = defineJob({
  name: 'late',
  input: z.object({}),
  retries: 0,
  timeoutMs: 100,
  run: ({ signal }) => setTimeout(60_000, undefined, { signal }),
})

export const nightly = defineJob({
  name: 'nightly',
  input: z.object({}),
  retries: 0,
  timeoutMs: 10_000,
  cron: '0 3 * * *',
  run: async (ctx) => ctx.run('note', writeNote, { shelf: 's', text: 'nightly' }),
})

const probeJobs = defineModule({ name: 'probe-jobs', handlers: [], jobs: [failing, patient, late, nightly] })

export function startProbeControlPlane(
  databaseUrl: string,
  dataDir: string,
  workspaces: string[],
  directUrl?: string,
): Promise<ControlPlane> {
  return startControlPlane({
    config: { ...loadConfig({}), dataDir },
    databaseUrl,
    directUrl,
    modules: [probe, probeJobs],
    log: pino({ level: 'silent' }),
    alone: true,
    workspaces: async () => workspaces,
  })
}
