import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { startupFailure } from './startup-error.ts'

const Port = z
  .string()
  .regex(/^\d{1,5}$/, 'a port is a number from 0 to 65535')
  .transform(Number)
  .pipe(z.int().max(65_535))

const HttpUrl = z.url({ protocol: /^https?$/, error: 'write an address such as http://127.0.0.1:7400' })

/** The environment variables; `docs/reference/configuration.md` is written from their descriptions. */
export const Environment = z.object({
  PAVE_DATA_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Directory of everything that Pave keeps; by default `.pave` below the working directory'),
  PAVE_HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PAVE_PORT: Port.prefault('7400').describe('Port of the control plane: API and console; 0 takes a free one'),
  PAVE_INFERENCE_PORT: Port.prefault('7401').describe('Port of the inference node'),
  PAVE_URL: HttpUrl.optional().describe('Where clients and inference nodes find the control plane'),
  PAVE_TOKEN: z.string().trim().optional().describe('Token that commands and inference nodes authenticate with'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'write postgresql://user:password@host:5432/database')
    .optional()
    .describe(
      'A PostgreSQL 15 or newer to use instead of the bundled one; its login may create roles, or the roles exist',
    ),
  OBJECTS_URL: z.string().optional().describe('Where objects are kept; a directory of the data directory by default'),
  ONLINE_URL: z.string().optional().describe('Where online features are kept; LMDB in the data directory by default'),
  PAVE_EGRESS_ALLOW: z
    .string()
    .default('')
    .describe('Private networks (CIDR) and host names in them that outgoing requests may reach, separated by commas'),
  PAVE_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe log line'),
  OTEL_EXPORTER_OTLP_ENDPOINT: HttpUrl.optional().describe(
    'OTLP endpoint that traces are sent to; none are made without it',
  ),
})

/** Every setting, with defaults. `dataDir` undefined means that the command chooses it. */
export interface Config {
  dataDir: string | undefined
  host: string
  port: number
  inferencePort: number
  url: string | undefined
  token: string | undefined
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
  // Compose and systemd hand over a variable without a value as an empty one.
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== '')
  const parsed = Environment.safeParse(Object.fromEntries(given))
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw startupFailure('invalid_configuration', `The environment holds a wrong setting: ${issues.join('; ')}`)
  }
  const env = parsed.data
  return {
    dataDir: env.PAVE_DATA_DIR,
    host: env.PAVE_HOST,
    port: env.PAVE_PORT,
    inferencePort: env.PAVE_INFERENCE_PORT,
    url: env.PAVE_URL,
    token: env.PAVE_TOKEN,
    databaseUrl: env.DATABASE_URL,
    objectsUrl: env.OBJECTS_URL,
    onlineUrl: env.ONLINE_URL,
    egressAllow: env.PAVE_EGRESS_ALLOW.split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
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
