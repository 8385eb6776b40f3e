import { readClientFile } from './commands/bootstrap.ts'
import { type Config, loadConfig } from './platform/config.ts'
import { chooseDataDirectory } from './platform/data-directory.ts'
import { PaveError } from './platform/errors.ts'
import type { Operation } from './platform/operation.ts'
import { type Client, createClient } from './platform/surfaces/client.ts'
import { clientFailure } from './platform/surfaces/client-errors.ts'
import { exitCodeOf, exitCodes, type Output, runCommand } from './platform/surfaces/command-line.ts'

const output: Output = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
}

const commands: Record<
  string,
  { usage: string; summary: string; run(args: string[], config: Config): Promise<number> }
> = {
  up: {
    usage: 'up [--environment prod] [--no-serve] [--stop-with-stdin]',
    summary: 'Start everything on this machine: PostgreSQL, control plane, console, an inference node',
    run: async (args, config) => {
      const { up } = await import('./commands/up.ts')
      const started = await up(config, {
        environment: flagValue(args, '--environment') ?? 'prod',
        serve: !args.includes('--no-serve'),
        onProgress: (text) => output.err(text),
      })
      output.out(`Pave is up: ${started.client.url}`)
      output.out(`Sign in once, within ten minutes: ${started.signInLink}`)
      await (args.includes('--stop-with-stdin') ? Promise.race([untilSignal(), untilStdinEnds()]) : untilSignal())
      output.err('stopping')
      await started.stop()
      // An open standard input would keep this process for as long as whoever holds its other end.
      process.stdin.destroy()
      return exitCodes.ok
    },
  },
  server: {
    usage: 'server',
    summary: 'Start one control plane of several on DATABASE_URL and a shared PAVE_DATA_DIR: API and console',
    run: async (_args, config) => {
      const { server } = await import('./commands/server.ts')
      const started = await server(config, (text) => output.err(text))
      output.out(`Pave is up: ${started.client.url}`)
      output.out(`Sign in once, within ten minutes: ${started.signInLink}`)
      await untilSignal()
      output.err('stopping')
      await started.stop()
      return exitCodes.ok
    },
  },
  worker: {
    usage: 'worker',
    summary: 'Start one worker beside `pave server`: it runs jobs, and needs the same settings and PAVE_URL',
    run: async (_args, config) => {
      const { worker } = await import('./commands/worker.ts')
      const started = await worker(config, (text) => output.err(text))
      output.out(`The worker is up: ${started.healthUrl}`)
      await untilSignal()
      output.err('stopping')
      await started.stop()
      return exitCodes.ok
    },
  },
  serve: {
    usage: 'serve [--join TOKEN] --name NODE [--environment ENV]',
    summary: 'Start an inference node; the first time it joins with a token of `pave create-join-token`',
    run: async (args, config) => {
      const { serveNode } = await import('./commands/serve.ts')
      const node = await serveNode(config, {
        environment: flagValue(args, '--environment'),
        name: flagValue(args, '--name') ?? 'node',
        joinToken: flagValue(args, '--join'),
        say: output.err,
      })
      await untilSignal()
      await node.close()
      return exitCodes.ok
    },
  },
  plan: {
    usage: 'plan PATH',
    summary: 'Show what `pave apply PATH` would change',
    run: async ([path = '.'], config) => {
      const { plan } = await import('./commands/manifests.ts')
      return plan(path, await clientOf(config), await declaredOperations(), output)
    },
  },
  apply: {
    usage: 'apply PATH',
    summary: 'Put the resources of a manifest file or directory; applying twice changes nothing',
    run: async ([path = '.'], config) => {
      const { apply } = await import('./commands/manifests.ts')
      return apply(path, await clientOf(config), await declaredOperations(), output)
    },
  },
  ledger: {
    usage: 'ledger verify [--file EXPORT --checkpoints FILE | --proof FILE] [--key FILE] | ledger export',
    summary: 'Check the ledger against its signed checkpoints, online or from files alone',
    run: async (args, config) => {
      const { ledger } = await import('./commands/ledger.ts')
      return ledger(args, config, () => clientOf(config), output)
    },
  },
  backup: {
    usage:
      'backup --to PLACE [--keep N] [--passphrase-file FILE | --plain-keys] [--json] | backup verify BACKUP [--key FILE] [--checkpoints FILE] [--json] | backup list --to PLACE [--json]',
    summary: 'Copy everything that cannot be made again, while Pave runs or not; check such a copy',
    run: async (args, config) => {
      const { backup } = await import('./commands/backup.ts')
      return backup(args, config, output)
    },
  },
  restore: {
    usage:
      'restore BACKUP [--passphrase-file FILE] [--checkpoints FILE] [--force] | restore BACKUP --drill [--passphrase-file FILE] [--json]',
    summary: 'Make a new data directory and database of a backup; --drill only tries whether that can be done',
    run: async (args, config) => {
      const { restore } = await import('./commands/restore.ts')
      return restore(args, config, output)
    },
  },
  import: {
    usage:
      'import mlflow --from URL|FILE [--artifacts DIRECTORY] [--allow-root DIRECTORY]… [--experiment NAME]… [--verify [--files]] [--json]',
    summary:
      'Copy experiments, runs, models, traces and files from an MLflow server or its SQLite file; again, what is new; or compare',
    run: async (args, config) => {
      const { importFrom } = await import('./commands/import.ts')
      return importFrom(args, config, () => clientOf(config), output)
    },
  },
  export: {
    usage: 'export mlflow --to FILE [--artifacts DIRECTORY] [--json]',
    summary: 'Write experiments, runs, models, traces and files as the SQLite file and the folder of an MLflow server',
    run: async (args, config) => {
      const { exportTo } = await import('./commands/export.ts')
      return exportTo(args, () => clientOf(config), output)
    },
  },
  doctor: {
    usage: 'doctor [--json]',
    summary: 'Look at everything that Pave needs, and say what is wrong and what mends it',
    run: async (args, config) => {
      const { doctor } = await import('./commands/doctor.ts')
      return doctor(args, config, output)
    },
  },
  health: {
    usage: 'health [--control-plane] [--node] [--worker]',
    summary: 'Ask what runs on this machine how it is; exit code 0 when all of it, or what is named, is well',
    run: async (args, config) => {
      const { health } = await import('./commands/health.ts')
      return health(args, config, output)
    },
  },
  override: {
    usage: 'override ENDPOINT VERSION --reason TEXT [--node local-prod] | override --clear [--node local-prod]',
    summary: 'Without the control plane: send all traffic of an endpoint on this node to a version it holds',
    run: async (args, config) => {
      const [{ override }, { parseArgs }] = await Promise.all([import('./commands/override.ts'), import('node:util')])
      const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: {
          node: { type: 'string', default: 'local-prod' },
          reason: { type: 'string', default: 'none given' },
          clear: { type: 'boolean', default: false },
        },
      })
      const [endpoint, version] = positionals
      const options = { endpoint, version, ...values }
      return override(config, options, output)
    },
  },
  schemas: {
    usage: 'schemas DIRECTORY',
    summary: 'Write the JSON Schemas of all manifest kinds, for editors',
    run: async ([directory = 'schemas']) => {
      const { writeSchemas } = await import('./commands/schemas.ts')
      return writeSchemas(directory, await declaredOperations(), output)
    },
  },
  completion: {
    usage: 'completion bash|zsh',
    summary: 'Print a completion script: source <(pave completion bash)',
    run: async ([shell = 'bash']) => {
      const { completion } = await import('./commands/completion.ts')
      output.out(completion(shell, [...Object.keys(commands), ...(await declaredOperations()).map((one) => one.name)]))
      return exitCodes.ok
    },
  },
}

async function main(args: string[]): Promise<number> {
  const [name = 'help', ...rest] = args
  if (name === 'help' || name === '--help' || name === '-h') return help()
  if (name === '--version') return version()
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  const config = loadConfig()
  if (command !== undefined) {
    if (rest.includes('--help')) {
      output.out(`${command.summary}\n\nUsage: pave ${command.usage}`)
      return exitCodes.ok
    }
    refuseUnknownFlags(name, command.usage, rest)
    return command.run(rest, config)
  }
  const operation = (await declaredOperations()).find((one) => one.name === name)
  if (operation === undefined) {
    throw clientFailure('usage', `There is no command ${name}`, { hint: 'pave help lists them all.' })
  }
  const helping = rest.includes('--help') || rest.includes('-h')
  return runCommand(operation, rest, helping ? createClient({ url: 'http://unused' }) : await clientOf(config), output)
}

/** The flags of a command are those that its usage shows. */
function refuseUnknownFlags(name: string, usage: string, args: readonly string[]): void {
  const known: readonly string[] = usage.match(/--[a-z-]+/g) ?? []
  const unknown = args.find((arg) => arg.startsWith('-') && !known.includes(arg))
  if (unknown === undefined) return
  throw clientFailure('usage', `${name}: There is no flag ${unknown}`, { hint: `Usage: pave ${usage}` })
}

async function help(): Promise<number> {
  const { operations } = await import('./modules/contracts.ts')
  output.out('The paved road for production machine learning.\n\nUsage: pave COMMAND [--help]\n')
  for (const { usage, summary } of Object.values(commands)) output.out(`  ${usage}\n      ${summary}`)
  for (const module of new Set(operations.map((one) => one.module))) {
    output.out(`\n${module}`)
    for (const { operation } of operations.filter((one) => one.module === module)) {
      output.out(`  ${operation.name.padEnd(28)} ${operation.summary}`)
    }
  }
  return exitCodes.ok
}

async function version(): Promise<number> {
  const { packageVersion } = await import('./commands/version.ts')
  output.out(await packageVersion())
  return exitCodes.ok
}

async function declaredOperations(): Promise<Operation[]> {
  const { operations } = await import('./modules/contracts.ts')
  return operations.map((one) => one.operation)
}

/** PAVE_URL and PAVE_TOKEN, else what `pave up` left for this machine in the data directory. */
async function clientOf(config: Config): Promise<Client> {
  const { trustAuthorities } = await import('./platform/tls/trust.ts')
  if (config.caFile !== undefined) await trustAuthorities(config.caFile)
  if (config.url !== undefined) return createClient({ url: config.url, token: config.token })
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const known = await readClientFile(dataDir)
  if (known === undefined) {
    throw clientFailure('unreachable', `No Pave was ever started in ${dataDir}`, {
      hint: 'Start one with `pave up`, or set PAVE_URL and PAVE_TOKEN.',
    })
  }
  if (known.ca !== undefined) await trustAuthorities(known.ca)
  return createClient({ url: known.url, token: config.token ?? known.token })
}

function flagValue(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag)
  return at < 0 ? undefined : args[at + 1]
}

/** For a program that starts Pave and must not leave it behind, however it dies itself. */
function untilStdinEnds(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once('close', () => resolve())
    process.stdin.resume()
  })
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

// A reader that has seen enough, such as `head`, or that was killed, such as whoever started `pave up`, is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(1)
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof PaveError)) throw error
  output.err(`${error.code}: ${error.message}`)
  for (const problem of error.problems) output.err(`  ${problem.pointer}: ${problem.message}`)
  if (error.hint !== '') output.err(error.hint)
  process.exitCode = exitCodeOf(error)
}
