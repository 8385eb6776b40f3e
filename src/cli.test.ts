import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { operations } from '#modules/contracts.ts'
import { createToken } from '#modules/identity/contract.ts'
import { modules } from '#modules/index.ts'
import { createClient } from '#platform/surfaces/client.ts'
import { exitCodes, helpOf, runCommand } from '#platform/surfaces/command-line.ts'
import { kindsOf, manifestSchema } from '#platform/surfaces/manifests/kinds.ts'
import { createTestPlatform } from './testing/platform.ts'

const suite = await createTestPlatform()
const directory = await mkdtemp(join(tmpdir(), 'pave-cli-'))
// PostgreSQL refuses to run as root, and whoever it runs as has to pass through here.
await chmod(directory, 0o755)
const env: Record<string, string> = { PATH: process.env.PATH ?? '', PAVE_DATA_DIR: join(directory, 'data') }
let url = ''
beforeAll(async () => {
  url = await suite.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
  await suite.as('ada', 'admin')
  env.PAVE_URL = url
  env.PAVE_TOKEN = (await suite.run(createToken, { principal: 'ada', name: 'cli' })).token
})
afterAll(async () => {
  await suite.drop()
  await rm(directory, { recursive: true, force: true })
})

const run = promisify(execFile)

interface Ended {
  code: number
  out: string
  err: string
}

async function pave(args: string[], more: Record<string, string> = {}): Promise<Ended> {
  const cli = join(import.meta.dirname, 'cli.ts')
  return run(process.execPath, [cli, ...args], { env: { ...env, ...more } }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error) => ({ code: error.code, out: error.stdout, err: error.stderr }),
  )
}

describe('pave', () => {
  test('answers as JSON, or as people read it', async () => {
    const json = await pave(['whoami', '--json'])
    expect(json.code).toBe(exitCodes.ok)
    expect(JSON.parse(json.out)).toMatchObject({ name: 'ada', kind: 'user', workspace: { name: 'test' } })
    const text = await pave(['whoami'])
    expect(text.out).toMatch(/^name +ada$/m)
  })

  test.each([
    ['an unknown command', ['wohami'], exitCodes.usage, /There is no command wohami/],
    ['the name of a property of every object', ['constructor'], exitCodes.usage, /no command constructor/],
    ['an unknown flag of a command', ['up', '--no-server'], exitCodes.usage, /no flag --no-server/],
    ['what is not there', ['get-model', 'absent'], exitCodes.refused, /model_not_found: There is no model absent\n.+/],
  ] as const)('%s ends with its code and a reason', async (_, args, code, message) => {
    const ended = await pave([...args])
    expect(ended.code).toBe(code)
    expect(ended.err).toMatch(message)
    expect(ended.err).not.toContain('    at ')
  })

  test('an unknown token and an absent server have codes of their own', async () => {
    expect(await pave(['whoami'], { PAVE_TOKEN: 'pave_x' })).toMatchObject({ code: exitCodes.notAllowed })
    const absent = await pave(['whoami'], { PAVE_URL: 'http://127.0.0.1:1' })
    expect(absent).toMatchObject({ code: exitCodes.unreachable, err: expect.stringContaining('pave up') })
    const never = await pave(['whoami'], { PAVE_URL: '' })
    expect(never).toMatchObject({
      code: exitCodes.unreachable,
      err: expect.stringContaining('No Pave was ever started'),
    })
    expect(await pave(['whoami'], { PAVE_PORT: 'x' })).toMatchObject({ err: expect.stringContaining('PAVE_PORT') })
  })

  test('a list is words between commas, also those that JSON would read as numbers', async () => {
    for (const list of ['0', '0,1', '["0", "1"]']) {
      const found = await pave(['search-tracking-runs', '--experiments', list, '--json'])
      expect([found.code, found.err], list).toEqual([exitCodes.ok, ''])
    }
  })

  test('--get prints one field, for scripts', async () => {
    expect(await pave(['whoami', '--get', 'workspace.name'])).toMatchObject({ code: exitCodes.ok, out: 'test\n' })
    const absent = await pave(['whoami', '--get', 'workspace.colour'])
    expect(absent).toMatchObject({ code: exitCodes.usage, err: expect.stringContaining('no field workspace.colour') })
  })

  test('--follow waits for the job, and fails with it', async () => {
    const done = await pave(['compact-predictions', '--follow'])
    expect(done).toMatchObject({ code: exitCodes.ok, err: expect.stringMatching(/100 % .+\n$/) })
    const failed = await pave(['materialize-views', '--dataset', 'absent@1', '--follow'])
    expect(failed).toMatchObject({ code: exitCodes.refused, err: expect.stringContaining('dataset_version_not_found') })
    expect(await pave(['whoami', '--follow'])).toMatchObject({ code: exitCodes.usage })
  })

  test('help and completion know every command', async () => {
    const [help, completion] = [await pave(['help']), await pave(['completion', 'bash'])]
    for (const { operation } of operations) {
      expect(help.out).toContain(operation.name)
      expect(completion.out).toContain(operation.name)
    }
    expect(await pave(['completion', 'fish'])).toMatchObject({ code: exitCodes.usage })
  })

  test('plan and apply show differences, and applying twice changes nothing', async () => {
    const file = join(directory, 'model.yaml')
    const manifest = (tier: number) =>
      `apiVersion: pave/v1\nkind: Model\nmetadata: {name: by-hand}\nspec: {owner: me, tier: ${tier}, task: ranking}\n`
    await writeFile(file, manifest(3))
    expect((await pave(['plan', file])).out).toMatch(/^\+ Model by-hand[\s\S]*1 to create/)
    expect((await pave(['apply', file])).out).toContain('1 created, 0 updated')
    expect((await pave(['apply', file])).out).toContain('0 created, 0 updated, 1 unchanged')
    await writeFile(file, manifest(2))
    expect((await pave(['plan', file])).out).toMatch(/~ Model by-hand\n +tier: 3 → 2/)
    await writeFile(file, manifest(9))
    expect(await pave(['apply', file])).toMatchObject({
      code: exitCodes.refused,
      err: expect.stringMatching(/model\.yaml:4:\d+: spec\.tier/),
    })
  })
})

test('every operation that is handled is offered to clients, and the other way round', () => {
  const handled = modules.flatMap((module) => module.handlers.map((handler) => handler.operation.name))
  const offered = operations.filter((one) => one.module !== 'platform').map((one) => one.operation.name)
  expect(offered.sort()).toEqual(handled.sort())
})

test.each(operations.map((one) => one.operation))(
  'help of $name prints, with its words and flags',
  async (operation) => {
    const lines: string[] = []
    const client = createClient({ url: 'http://unused' })
    const code = await runCommand(operation, ['--help'], client, { out: (line) => lines.push(line), err: () => {} })
    expect(code).toBe(0)
    expect(lines.join('\n')).toBe(helpOf(operation))
    expect(helpOf(operation)).toMatch(new RegExp(`^${literally(operation.summary)}\\n\\nUsage: pave ${operation.name}`))
    expect(helpOf(operation)).not.toContain('undefined')
  },
)

test.each([
  ['list-jobs', ['--stat', 'done'], /no flag --stat/],
  ['list-jobs', ['--limit', 'many'], /--limit needs a number, not many/],
  ['list-jobs', ['--limit'], /--limit needs a value/],
  ['get-model', [], /<model> is missing/],
  ['get-model', ['a', 'b'], /b is one word too many/],
  ['create-sign-in-link', [], /<principal> is missing/],
  ['create-sign-in-link', ['ada', 'bob'], /bob is one word too many/],
  ['create-token', ['ada'], /ada is one word too many/],
  ['put-model', ['m', '--spec', '@absent.json'], /--spec cannot be read from absent\.json/],
  ['put-model', ['m', '--spec', '{"tier": '], /--spec needs JSON/],
])('pave %s %j is told what is wrong, without asking the server', async (name, args, message) => {
  const operation = operations.map((one) => one.operation).find((one) => one.name === name)
  if (operation === undefined) throw new Error(`there is an operation ${name}`)
  const attempt = runCommand(operation, args, createClient({ url: 'http://unused' }), { out: () => {}, err: () => {} })
  await expect(attempt).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) })
})

const literally = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

test('fields of a query are plain values, which a query can carry', () => {
  for (const { operation } of operations.filter((one) => one.operation.method === 'GET')) {
    const { properties = {} } = operation.input.toJSONSchema({ io: 'input', unrepresentable: 'any' })
    for (const [name, property] of Object.entries(properties)) {
      const types = typeof property === 'object' ? (property.anyOf ?? [property]) : []
      for (const one of types) {
        const type = typeof one === 'object' ? one.type : undefined
        expect(['string', 'integer', 'number', 'boolean'], `${operation.name} ${name}`).toContain(type)
      }
    }
  }
})

test('the schemas of all kinds accept the examples', async () => {
  const kinds = new Map(
    kindsOf(operations.map((one) => one.operation)).map((kind) => [kind.kind, manifestSchema(kind)]),
  )
  const example = join(import.meta.dirname, '..', 'examples', 'flight-delays')
  const problems: string[] = []
  let checked = 0
  for (const name of (await readdir(example)).filter((one) => one.endsWith('.yaml'))) {
    const documents = parseAllDocuments(await readFile(join(example, name), 'utf8'))
    if (!Array.isArray(documents)) continue
    for (const document of documents) {
      const manifest: { kind: string } = document.toJS()
      const schema = kinds.get(manifest.kind)
      if (schema === undefined) {
        problems.push(`${name}: no operation puts a ${manifest.kind}`)
        continue
      }
      const valid = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
      const accepted: boolean = valid(manifest)
      if (!accepted) problems.push(`${name} ${manifest.kind}: ${JSON.stringify(valid.errors?.slice(0, 3))}`)
      checked += 1
    }
  }
  expect(problems).toEqual([])
  expect(checked).toBeGreaterThan(5)
})

test('a port in use is said by name', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const ended = await pave(['up', '--no-serve'], {
    PAVE_URL: '',
    PAVE_PORT: String(port),
    DATABASE_URL: suite.databaseUrl,
    PAVE_DATA_DIR: join(directory, 'second'),
  })
  taken.close()
  expect(ended).toMatchObject({ code: exitCodes.refused, err: expect.stringContaining(`port_in_use: Port ${port}`) })
})
