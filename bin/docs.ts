import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, createServer } from 'vitepress'

// `npm run docs` serves the documentation and follows its changes; with --build it is written to dist/docs. A dead link is
// an error.

const docs = join(import.meta.dirname, '..', 'docs')
const { values } = parseArgs({ options: { build: { type: 'boolean', default: false }, port: { type: 'string' } } })

if (values.build) {
  await build(docs)
} else {
  const server = await createServer(docs, { ...(values.port !== undefined && { port: Number(values.port) }) })
  await server.listen()
  server.printUrls()
}
