import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { nodesOf, postmasterOf, processesOf } from './support/processes.ts'
import { cli, createPlace, type Place, pave, startPave } from './support/start-pave.ts'

test('a second `pave up` says who holds the data directory, and disturbs nothing', { timeout: 60_000 }, async () => {
  const place = await createPlace()
  const first = await startPave(place)
  const running = [postmasterOf(place.dataDir), ...nodesOf(place.dataDir)]
  const second = await pave(place, ['up'])
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('data_directory_in_use')
  expect(second.stderr).toContain(place.dataDir)
  expect(second.stderr).toContain(`\`pave up\` (process ${first.pid}, since `)
  expect(second.stderr).toContain(`kill ${first.pid}`)
  expect(await pave(place, ['whoami'])).toMatchObject({ code: 0 })
  expect([postmasterOf(place.dataDir), ...nodesOf(place.dataDir)]).toEqual(running)

  expect(await first.stop('SIGTERM')).toBe(0)
  expect(processesOf(place.dataDir)).toEqual([])

  const third = await startPave(place)
  expect(await third.stop('SIGINT')).toBe(0)
  expect(processesOf(place.dataDir)).toEqual([])
})

test('with --stop-with-stdin it stops when whoever started it is gone, and took the pipes along', {
  timeout: 60_000,
}, async () => {
  const place = await createPlace()
  const child = spawn(process.execPath, [cli, 'up', '--stop-with-stdin'], { env: place.env, stdio: 'pipe' })
  const ended = once(child, 'exit')
  for await (const line of createInterface(child.stdout)) if (line.includes('Sign in once')) break
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy()
  expect(await ended).toEqual([0, null])
  expect(processesOf(place.dataDir)).toEqual([])
})

test.each([
  ['PAVE_PORT', 'url'],
  ['PAVE_INFERENCE_PORT', 'inferenceUrl'],
] as const)(
  'a taken %s is named with the way out, and nothing is left running',
  { timeout: 60_000 },
  async (variable, url) => {
    const place = await createPlace()
    const port = await occupy(place[url])
    const refused = await pave(place, ['up'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).toBe('')
    expect(refused.stderr).toContain(`port_in_use: Port ${port} on 127.0.0.1 is in use`)
    expect(refused.stderr).toContain(`${variable}=`)
    expect(processesOf(place.dataDir)).toEqual([])
    await expect(stat(holderOf(place))).rejects.toThrow('ENOENT')
  },
)

test('an address of another machine is named with the way out', async () => {
  const place = await createPlace()
  const refused = await pave(place, ['up'], { PAVE_HOST: '192.0.2.1' })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('invalid_configuration: Nothing can listen on 192.0.2.1:')
  expect(refused.stderr).toContain('PAVE_HOST')
  expect(processesOf(place.dataDir)).toEqual([])
})

test('a command without a Pave says how to start one', async () => {
  const place = await createPlace()
  const lonely = await pave(place, ['list-models'])
  expect(lonely.code).toBe(5)
  expect(lonely.stderr).toContain(`unreachable: No Pave was ever started in ${place.dataDir}`)
  expect(lonely.stderr).toContain('pave up')
})

const holderOf = ({ dataDir }: Place) => join(dataDir, 'run', 'holder.json')

/** Listens where the url points, until the test is over; answers the port. */
async function occupy(url: string): Promise<number> {
  const port = Number(new URL(url).port)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return port
}
