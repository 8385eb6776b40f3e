import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { inheritedEnvironment } from '#platform/config.ts'
import { freePort, type Running, start } from '../backends/outside-program.ts'
import { cli } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { type Compose, inOrder, type Service } from './read-compose.ts'
import { readAssignments, readWords, type Stage } from './read-dockerfile.ts'

export interface Stack {
  /** Where on this machine a service answers that the file calls `host:port`. */
  address(place: string): string
  folderOf(volume: string): string
  running(service: string): Running
  /** A text of the file as it is true on this machine. */
  local(text: string, service: Service): string
}

/** A program of this machine in place of one of another image. */
export interface Substitute {
  words(service: Service, stack: Stack): Promise<string[]>
  isReady(stack: Stack): Promise<boolean>
}

export interface StackOptions {
  compose: Compose
  /** Of the image that Pave's own services run. */
  stage: Stage
  /** The configuration files that the Compose file names. */
  configs: string
  folder: string
  /** Services that the test started in its own way, and where. */
  own: Readonly<Record<string, string>>
  /** By image. */
  substitutes: Readonly<Record<string, Substitute>>
  cleanUp: (work: () => Promise<void>) => void
}

/** Where a process of Pave listens when nothing tells it: what the addresses in the file are made of. */
const listening = { PAVE_PORT: '7400', PAVE_INFERENCE_PORT: '7401', PAVE_WORKER_PORT: '7402' }

/**
 * Starts what `docker compose up` would, as processes of this machine: with the commands, variables and volumes of the
 * file, in its order, each awaited with the check that the image has. Host names become ports of the loopback interface,
 * and volumes directories.
 */
export async function playCompose(options: StackOptions): Promise<Stack> {
  const { compose, stage, folder, own, substitutes, cleanUp } = options
  const names = Object.keys(compose.services)
  const places = new RegExp(`\\b(?:${names.join('|')}):\\d+\\b`, 'g')
  const addresses = new Map(Object.entries(own))
  const processes = new Map<string, Running>()
  const image = imageEnvironment(stage, await makePave(folder))
  const stack: Stack = {
    address: (place) => addresses.get(place) ?? missing(place),
    folderOf: (volume) => join(folder, 'volumes', volume),
    running: (name) => processes.get(name) ?? missing(name),
    local: (text, { volumes }) => {
      const mounts = new Map(volumes.map((mount) => mount.split(':').reverse().slice(-2) as [string, string]))
      const mounted = text.replace(/\/[\w/-]+/g, (path) => {
        const target = [...mounts.keys()].find((one) => path === one || path.startsWith(`${one}/`))
        return target === undefined ? path : stack.folderOf(mounts.get(target) ?? '') + path.slice(target.length)
      })
      return mounted.replace(places, stack.address)
    },
  }
  for (const volume of Object.keys(compose.volumes)) {
    await mkdir(stack.folderOf(volume), { recursive: true })
    await chmod(stack.folderOf(volume), 0o711)
  }
  const listeners = names.flatMap((name) => Object.values(listening).map((port) => `${name}:${port}`))
  const told = `${JSON.stringify(compose)}\n${options.configs}`.match(places) ?? []
  for (const place of new Set([...listeners, ...told])) {
    if (!addresses.has(place)) addresses.set(place, `127.0.0.1:${await freePort()}`)
  }

  async function startPave(name: string, service: Service): Promise<void> {
    const ports = Object.entries(listening).map(([variable, port]) => [
      variable,
      stack.address(`${name}:${port}`).split(':')[1],
    ])
    const told = { ...image, ...service.environment, PAVE_HOST: '127.0.0.1', ...Object.fromEntries(ports) }
    const env = Object.fromEntries(
      Object.entries(told).map(([key, value]) => [key, stack.local(String(value), service)]),
    )
    const words = [...(service.entrypoint ?? ['pave']), ...service.command].map((word) => stack.local(word, service))
    // Found by `env` on the path of the image.
    const running = start('env', words, env, cleanUp)
    processes.set(name, running)
    if (service.restart === 'no') {
      await eventually(() => running.child.exitCode !== null)
      if (running.child.exitCode !== 0) throw new Error(`${name} failed: ${running.said()}`)
      return
    }
    await eventually(async () => {
      if (running.child.exitCode !== null) throw new Error(`${name} ended: ${running.said()}`)
      const check = start('env', healthcheckOf(stage), env, cleanUp)
      await eventually(() => check.child.exitCode !== null)
      return check.child.exitCode === 0
    }, 300)
  }

  async function startSubstitute(name: string, service: Service): Promise<void> {
    const substitute = substitutes[service.image.split(':')[0] ?? ''] ?? missing(service.image)
    const words = await substitute.words(service, stack)
    const running = start('env', words, { ...inheritedEnvironment(), ...service.environment }, cleanUp)
    processes.set(name, running)
    await eventually(() => {
      if (running.child.exitCode !== null) throw new Error(`${name} ended: ${running.said()}`)
      return substitute.isReady(stack).catch(() => false)
    }, 100)
  }

  const isOwn = (name: string) => Object.keys(own).some((place) => place.startsWith(`${name}:`))
  for (const name of inOrder(compose.services).filter((one) => !isOwn(one))) {
    const service = compose.services[name] ?? missing(name)
    await (service.image.startsWith('pave:') ? startPave(name, service) : startSubstitute(name, service))
  }
  return stack
}

/** The command as the image has it on its path, of this checkout. */
async function makePave(folder: string): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, 'pave'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 })
  return bin
}

/** What the image sets, over a path on which `pave` is. */
function imageEnvironment({ instructions }: Stage, bin: string): Record<string, string> {
  const env: Record<string, string> = { PATH: [bin, inheritedEnvironment().PATH].join(delimiter) }
  for (const { value } of instructions.filter(({ name }) => name === 'ENV')) {
    Object.assign(env, readAssignments(value, env))
  }
  return env
}

function healthcheckOf({ instructions }: Stage): string[] {
  const check = instructions.find(({ name }) => name === 'HEALTHCHECK')
  return readWords(check?.value.replace(/^CMD\s+/, '') ?? '')
}

function missing(name: string): never {
  throw new Error(`The Compose file has no ${name}`)
}

/** The configuration files of a Compose file, one after the other. */
export async function readConfigs({ configs }: Compose, folder: string): Promise<string> {
  const texts = await Promise.all(Object.values(configs).map(({ file }) => readFile(join(folder, file), 'utf8')))
  return texts.join('\n')
}
