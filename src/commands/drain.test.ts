import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { followRequests } from './drain.ts'

const suite = await createTestPlatform()
afterAll(() => suite.drop())

test('events that come while a slow reader’s stream is being ended break nothing', async () => {
  const { platform, workspace, run } = suite
  const { http } = suite.controlPlane
  const requests = followRequests(http.server)
  const url = new URL(await http.listen({ host: '127.0.0.1', port: 0 }))
  const { name } = await suite.as('slow', 'viewer')
  const { token } = await run(createToken, { principal: name, name: 'laptop' })
  const socket = connect(Number(url.port), url.hostname).pause()
  socket.on('error', () => {})
  socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${token}\r\n\r\n`)
  const [, response]: [unknown, ServerResponse] = await once(http.server, 'request').then(([a, b]) => [a, b])
  await expect.poll(() => response.headersSent).toBe(true)
  const tell = () => platform.events.emit({ workspace, type: 'job', data: { text: 'x'.repeat(300_000) } })
  // More than the buffers of the kernel hold.
  for (let count = 0; count < 100 && response.writableLength === 0; count++) {
    tell()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(response.writableLength).toBeGreaterThan(0)
  const broken = once(response, 'error')
  await requests.drain(10)
  expect(response.writableEnded).toBe(true)
  tell()
  const outcome = await Promise.race([broken, new Promise((resolve) => setImmediate(() => resolve('nothing')))])
  expect(outcome).toBe('nothing')
  socket.destroy()
})

test('one that is about to stop tells balancers so, and still answers', async () => {
  const { controlPlane } = suite
  const { http } = controlPlane
  expect((await http.inject('/health')).statusCode).toBe(200)
  controlPlane.retire()
  const { statusCode, body } = await http.inject('/health')
  expect([statusCode, JSON.parse(body)]).toEqual([503, { status: 'stopping' }])
  expect((await http.inject('/openapi.json')).statusCode).toBe(200)
})
