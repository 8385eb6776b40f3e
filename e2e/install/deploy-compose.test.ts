import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient as createRedisClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPrincipal } from '#modules/identity/contract.ts'
import { getEndpoint } from '#modules/releases/contract.ts'
import { Environment, inheritedEnvironment } from '#platform/config.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { trustAuthorities } from '#platform/tls/trust.ts'
import { freePort, outsideProgram } from '../backends/outside-program.ts'
import { tokenOf } from '../backends/several-processes.ts'
import { debianPostgres, startPostgres } from '../backends/start-postgres.ts'
import { processesOf } from '../support/processes.ts'
import { kill } from '../support/start-pave.ts'
import { endpoint, question, serveTinyModel } from '../support/tiny-project.ts'
import { eventually } from '../support/wait.ts'
import { playCompose, readConfigs, type Stack, type Substitute } from './play-compose.ts'
import { readCompose } from './read-compose.ts'
import { readDockerfile } from './read-dockerfile.ts'

const root = join(import.meta.dirname, '../..')
const deploy = join(root, 'deploy')
const text = await readFile(join(deploy, 'compose.yaml'), 'utf8')
const filled = { PAVE_SITE: 'localhost', POSTGRES_PASSWORD: 'of-the-tests', REDIS_PASSWORD: 'of-the-tests-too' }
const programs = [debianPostgres(), outsideProgram('redis-server'), outsideProgram('caddy')]
const isMissing = programs.some((program) => 'missing' in program)

describe('the Compose file', () => {
  it('fits the Compose specification, and is fine with dclint', async () => {
    const program = join(root, 'node_modules/dclint/bin/dclint.cjs')
    const args = ['-c', join(deploy, '.dclintrc.yaml'), '--max-warnings', '0', join(deploy, 'compose.yaml')]
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: root })
    expect(stdout.trim()).toBe('')
  })

  it('sets no variable that Pave does not know, and bounds every service', () => {
    const known = new Set([...Object.keys(Environment.shape), 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
    const { services, volumes } = readCompose(text, filled)
    for (const [name, { image, environment, volumes: mounts }] of Object.entries(services)) {
      const set = image.startsWith('pave:') ? Object.keys(environment) : []
      expect([name, set.filter((variable) => !known.has(variable))]).toEqual([name, []])
      for (const mount of mounts) expect(Object.keys(volumes)).toContain(mount.split(':')[0])
    }
  })

  it('has no password of its own, and .env.example names what is to be filled in', async () => {
    for (const name of Object.keys(filled)) {
      expect(() => readCompose(text, { ...filled, [name]: '' })).toThrow(`${name} is not set in .env`)
    }
    const example = await readFile(join(deploy, '.env.example'), 'utf8')
    expect(example.match(/^\w+(?==)/gm)).toEqual(expect.arrayContaining(Object.keys(filled)))
    expect(example).toMatch(/^POSTGRES_PASSWORD=$/m)
  })
})

describe.skipIf(isMissing)('its services, as processes of this machine', () => {
  let folder: string
  let stack: Stack
  let admin: Client
  let token: string
  let site: string
  const cleanUps: Array<() => Promise<void>> = []
  const cleanUp = (work: () => Promise<void>) => void cleanUps.push(work)
  const [postgres, redis, caddy] = programs.map((program) => ('path' in program ? program.path : ''))

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pave-compose-'))
    await chmod(folder, 0o711)
    cleanUp(async () => {
      for (const { pid } of processesOf(folder)) kill(pid, 'SIGKILL')
      await eventually(() => processesOf(folder).length === 0)
      await rm(folder, { recursive: true, force: true })
    })
    site = `localhost:${await freePort()}`
    const compose = readCompose(text, { ...filled, PAVE_SITE: site })
    const configs = await readConfigs(compose, deploy)
    const database = await startPostgres(postgres ?? '', cleanUp, { max_connections: '200' })
    // What the image does with POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB.
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB = '' } = compose.services.database?.environment ?? {}
    await database.administer(`create role ${POSTGRES_USER} superuser login password '${POSTGRES_PASSWORD}'`)
    await database.createDatabase(POSTGRES_DB, POSTGRES_USER)
    const [, stage] = readDockerfile(await readFile(join(deploy, 'Dockerfile'), 'utf8'))
    if (stage === undefined) throw new Error('The Dockerfile has no second stage')
    stack = await playCompose({
      compose,
      stage,
      configs,
      folder,
      own: { 'database:5432': `127.0.0.1:${database.port}` },
      substitutes: { redis: redisHere, caddy: caddyWith(configs) },
      cleanUp,
    })
    await trustAuthorities(authority())
    token = await tokenOf(join(stack.folderOf('data'), 'data'))
    admin = createClient({ url: `https://${site}`, token })
  })
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })

  const redisHere: Substitute = {
    async words({ command }, { address, folderOf }) {
      const port = address('features:6379').split(':')[1] ?? ''
      return [redis ?? '', ...command.slice(1), '--port', port, '--bind', '127.0.0.1', '--dir', folderOf('features')]
    },
    async isReady({ address }) {
      const url = `redis://:${filled.REDIS_PASSWORD}@${address('features:6379')}`
      const client = createRedisClient({ url, socket: { reconnectStrategy: false } })
      client.on('error', () => undefined)
      await client.connect()
      return client
        .ping()
        .then(
          (pong) => pong === 'PONG',
          () => false,
        )
        .finally(() => client.destroy())
    },
  }

  const caddyWith = (configs: string): Substitute => ({
    async words(service, { folderOf, local }) {
      const file = join(folder, 'Caddyfile')
      // A port of nobody's in place of 80, from where plain HTTP is sent on. And Debian's Caddy 2.6 can try a request
      // elsewhere only if it has kept the body; 2.11.2 can anyway.
      const here = local(configs, service)
        .replace(/^\{\n/m, `{\n\thttp_port ${await freePort()}\n`)
        .replace(/^\treverse_proxy .*\{$/gm, '$&\n\t\tbuffer_requests')
      await writeFile(file, here)
      const places = [`HOME=${folder}`, `XDG_DATA_HOME=${folderOf('proxy')}`]
      return [...places, caddy ?? '', 'run', '--adapter', 'caddyfile', '--config', file]
    },
    async isReady({ address }) {
      return (await fetch(`http://${address('proxy:7400')}/health`)).ok
    },
  })

  const authority = () => join(stack.folderOf('proxy'), 'caddy/pki/authorities/local/root.crt')

  async function predict(id: string): Promise<number> {
    const response = await fetch(`https://${site}/v2/models/tiny/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(question(id, new Date('2001-03-04T12:30:00Z'))),
    })
    expect(await response.text()).toContain('"data":[24]')
    return response.status
  }

  it('apply, release and predict through the one address', async () => {
    const url = `https://${site}`
    const env = { ...inheritedEnvironment(), PAVE_URL: url, PAVE_TOKEN: token, PAVE_CA: authority() }
    await serveTinyModel({ dataDir: folder, url, inferenceUrl: url, env }, { admin, token })
    // One node answered that it is ready; the proxy asks either.
    await eventually(async () => {
      const { nodes, generation } = await admin.call(getEndpoint, endpoint)
      const current = nodes.filter((node) => node.generation >= (generation ?? 0) && node.failed.length === 0)
      return current.length === 2
    })
    expect(await predict('first')).toBe(200)
    expect(stack.running('server-1').said()).toContain(`https://${site}/sign-in#`)
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
    const page = await fetch(url, { headers: { accept: 'text/html' } })
    expect(await page.text()).toContain('<script type="module"')
  })

  it('lose no request while a server and a node are stopped, and go on without them', async () => {
    const stopping = ['server-1', 'node-2'].map((name) => stack.running(name).kill('SIGTERM'))
    let stopped = false
    const gone = Promise.all(stopping).then(() => {
      stopped = true
    })
    let asked = 0
    for (let after = 0; after < 20; asked++) {
      expect(await predict(`while-stopping-${asked}`)).toBe(200)
      const name = `person-${asked}`
      if (asked % 10 === 0) await admin.call(createPrincipal, { name, role: 'viewer' })
      if (stopped) after += 1
    }
    await gone
    expect(stack.running('server-1').child.exitCode).toBe(0)
    expect(stack.running('node-2').child.exitCode).toBe(0)
  })
})
