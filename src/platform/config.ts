import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { PaveError } from './errors.ts'

const Port = z.coerce.number().int().min(0).max(65_535)

const Environment = z.object({
  PAVE_DATA_DIR: z.string().min(1).optional(),
  PAVE_HOST: z.string().default('127.0.0.1'),
  PAVE_PORT: Port.default(7400),
  PAVE_INFERENCE_PORT: Port.default(7401),
  /** Where clients find the control plane. */
  PAVE_URL: z.url().optional(),
  PAVE_INFERENCE_URL: z.url().optional(),
  PAVE_TOKEN: z.string().optional(),
  PAVE_WORKSPACE: z.string().optional(),
  DATABASE_URL: z.string().optional(),
  OBJECTS_URL: z.string().optional(),
  ONLINE_URL: z.string().optional(),
  PAVE_EGRESS_ALLOW: z.string().default(''),
  PAVE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
})

/** Every setting, with defaults. `dataDir` undefined means that the command chooses it. */
export interface Config {
  dataDir: string | undefined
  host: string
  port: number
  inferencePort: number
  url: string | undefined
  inferenceUrl: string | undefined
  token: string | undefined
  workspace: string | undefined
  databaseUrl: string | undefined
  objectsUrl: string | undefined
  onlineUrl: string | undefined
  /** CIDR blocks and host names inside private networks that outgoing requests may reach. */
  egressAllow: string[]
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  otlpEndpoint: string | undefined
  cwd: string
  /** Effective uid, or undefined where the platform has none. */
  uid: number | undefined
  tempDir: string
  home: string
}

/** Reads the environment; this file alone does. A wrong value is an error that names the variable. */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const parsed = Environment.safeParse(environment)
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new PaveError('invalid_configuration', `The environment holds a wrong setting: ${issues.join('; ')}`, {
      status: 500,
      hint: 'Unset or mend the variable; docs/reference/configuration.md lists them all.',
    })
  }
  const env = parsed.data
  return {
    dataDir: env.PAVE_DATA_DIR,
    host: env.PAVE_HOST,
    port: env.PAVE_PORT,
    inferencePort: env.PAVE_INFERENCE_PORT,
    url: env.PAVE_URL,
    inferenceUrl: env.PAVE_INFERENCE_URL,
    token: env.PAVE_TOKEN,
    workspace: env.PAVE_WORKSPACE,
    databaseUrl: env.DATABASE_URL,
    objectsUrl: env.OBJECTS_URL,
    onlineUrl: env.ONLINE_URL,
    egressAllow: env.PAVE_EGRESS_ALLOW.split(',').filter((entry) => entry !== ''),
    logLevel: env.PAVE_LOG_LEVEL,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    cwd: process.cwd(),
    uid: process.geteuid?.(),
    tempDir: tmpdir(),
    home: environment.HOME ?? join(tmpdir(), 'pave-home'),
  }
}

/** The environment that child processes inherit as it is: only what locates programs and sets their language. */
export function inheritedEnvironment(environment: Record<string, string | undefined> = process.env) {
  const kept: Record<string, string> = {}
  for (const name of ['PATH', 'LANG', 'LC_ALL', 'TZ', 'HOME', 'TMPDIR']) {
    const value = environment[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}
