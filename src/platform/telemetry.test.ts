import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { createLogger, createTelemetry } from './telemetry.ts'

test.runIf(process.platform === 'linux')('a full disk under the log breaks nothing', () => {
  const log = createLogger('info', '/dev/full')
  for (let line = 0; line < 3; line++) expect(() => log.error({ line }, 'no space')).not.toThrow()
})

test('operations are traced to an OTLP endpoint when one is set', async () => {
  const received: string[] = []
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      received.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString('latin1')}`)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const address = collector.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const telemetry = await createTelemetry({ service: 'pave-test', otlpEndpoint: `http://127.0.0.1:${port}` })
  const answer = await telemetry.span('operation whoami', async () => 42)
  await expect(telemetry.span('operation broken', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await telemetry.close()
  collector.close()
  expect(answer).toBe(42)
  expect(received.join()).toContain('POST /v1/traces')
  expect(received.join()).toContain('operation whoami')
  expect(received.join()).toContain('operation broken')
  expect(received.join()).toContain('pave-test')
})
