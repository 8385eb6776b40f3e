import { hostname, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { startupFailure } from './startup-error.ts'

const Port = z
  .string()
  .regex(/^\d{1,5}$/, 'a port is a number from 0 to 65535')
  .transform(Number)
  .pipe(z.int().max(65_535))

const HttpUrl = z.url({ protocol: /^https?$/, error: 'write an address such as http://127.0.0.1:7400' })

const PostgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'write postgresql://user:password@host:5432/database')

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
  PAVE_WORKER_PORT: Port.prefault('7402').describe('Port on which a worker answers /health and /metrics'),
  PAVE_URL: HttpUrl.optional().describe(
    'Where clients, browsers and inference nodes find the control plane; behind a proxy, the address of the proxy',
  ),
  PAVE_NAMES: z
    .string()
    .default('')
    .describe(
      'More host names under which this machine is reached, separated by commas: browsers may sign in under them, and ' +
        'certificates that Pave makes hold them',
    ),
  PAVE_TLS: z
    .enum(['off', 'self-signed', 'proxy'])
    .optional()
    .describe(
      'self-signed: serve https with a certificate of an authority that Pave makes in the data directory; ' +
        'proxy: a proxy in front of Pave speaks https for it',
    ),
  PAVE_TLS_CERT: z
    .string()
    .optional()
    .describe('File of the certificate to serve https with, in PEM, its chain after it; read again when it changes'),
  PAVE_TLS_KEY: z.string().optional().describe('File of the private key of PAVE_TLS_CERT, in PEM'),
  PAVE_CA: z
    .string()
    .optional()
    .describe('File of certificate authorities in PEM that Pave and its commands trust beside the usual ones'),
  MLFLOW_TRACKING_TOKEN: z.string().optional().describe('Token for the server that `pave import mlflow` reads'),
  PAVE_TOKEN: z.string().trim().optional().describe('Token that commands and inference nodes authenticate with'),
  DATABASE_URL: PostgresUrl.optional().describe(
    'A PostgreSQL 15 or newer to use instead of the bundled one, or a pooler in transaction mode before it; ' +
      'its login may create roles, or the roles exist',
  ),
  DATABASE_DIRECT_URL: PostgresUrl.optional().describe(
    'The PostgreSQL behind the pooler of DATABASE_URL, for what needs a session: migrations, sealing, the queue of jobs',
  ),
  OBJECTS_URL: z
    .string()
    .optional()
    .describe(
      'Where objects are kept: file:///directory, or s3://bucket/prefix?endpoint=https://host&region=name&pathStyle=true ' +
        'with the credentials that the AWS tools use; a directory of the data directory by default',
    ),
  ONLINE_URL: z
    .string()
    .optional()
    .describe(
      'Where online features are kept: redis://, rediss:// or redis+cluster:// with user:password@host:6379; ' +
        'LMDB in the data directory by default',
    ),
  PAVE_BACKUP_PASSPHRASE: z
    .string()
    .optional()
    .describe('Protects the signing keys in backups; what a backup was made with opens it again'),
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
  workerPort: number
  url: string | undefined
  /** More host names of this machine, and the one that it has by itself. */
  names: string[]
  machine: string
  tls: TlsConfig
  /** Authorities to trust beside the usual ones. */
  caFile: string | undefined
  token: string | undefined
  mlflowToken: string | undefined
  databaseUrl: string | undefined
  /** The server itself, when `databaseUrl` is a pooler. */
  databaseDirectUrl: string | undefined
  objectsUrl: string | undefined
  onlineUrl: string | undefined
  /** Of the signing keys in backups. */
  backupPassphrase: string | undefined
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

/** Who speaks https: nobody, a proxy before Pave, or Pave with a certificate of its own or from files. */
export type TlsConfig =
  | { kind: 'off' }
  | { kind: 'proxy' }
  | { kind: 'self-signed' }
  | { kind: 'files'; cert: string; key: string }

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
  if (env.DATABASE_DIRECT_URL !== undefined && env.DATABASE_URL === undefined) {
    throw startupFailure(
      'invalid_configuration',
      'DATABASE_DIRECT_URL is the server behind DATABASE_URL, which is not set',
    )
  }
  return {
    dataDir: env.PAVE_DATA_DIR,
    host: env.PAVE_HOST,
    port: env.PAVE_PORT,
    inferencePort: env.PAVE_INFERENCE_PORT,
    workerPort: env.PAVE_WORKER_PORT,
    url: env.PAVE_URL,
    names: listOf(env.PAVE_NAMES),
    machine: hostname(),
    tls: tlsOf(env),
    caFile: env.PAVE_CA === undefined ? undefined : resolve(env.PAVE_CA),
    token: env.PAVE_TOKEN,
    mlflowToken: env.MLFLOW_TRACKING_TOKEN,
    databaseUrl: env.DATABASE_URL,
    databaseDirectUrl: env.DATABASE_DIRECT_URL,
    objectsUrl: env.OBJECTS_URL,
    onlineUrl: env.ONLINE_URL,
    backupPassphrase: env.PAVE_BACKUP_PASSPHRASE,
    egressAllow: listOf(env.PAVE_EGRESS_ALLOW),
    logLevel: env.PAVE_LOG_LEVEL,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    cwd: process.cwd(),
    uid: process.geteuid?.(),
    tempDir: tmpdir(),
    home: environment.HOME ?? join(tmpdir(), 'pave-home'),
  }
}

function tlsOf(env: z.output<typeof Environment>): TlsConfig {
  const { PAVE_TLS: kind, PAVE_TLS_CERT: cert, PAVE_TLS_KEY: key } = env
  if (cert === undefined && key === undefined) return { kind: kind ?? 'off' }
  if (kind !== undefined) {
    throw startupFailure(
      'invalid_configuration',
      `PAVE_TLS=${kind} and PAVE_TLS_CERT or PAVE_TLS_KEY exclude each other`,
    )
  }
  if (cert === undefined || key === undefined) {
    throw startupFailure('invalid_configuration', 'PAVE_TLS_CERT and PAVE_TLS_KEY are set together or not at all')
  }
  return { kind: 'files', cert: resolve(cert), key: resolve(key) }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
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
