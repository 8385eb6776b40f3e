import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

// Mantine writes its theme's variables into style elements.
const securityPolicy =
  "default-src 'self'; img-src 'self' blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

interface StoredFile {
  body: Buffer
  gzipped: Buffer
  type: string
  etag: string
}

type Files = ReadonlyMap<string, StoredFile>

/**
 * Serves the built console from memory, and its page for every other path that a browser asks for. Requests are looked
 * up among the files that were read, so no path of a request ever reaches the disk.
 */
export function serveConsole(app: FastifyInstance, directory: string): void {
  let files: Files = new Map()
  let readAt: number | undefined

  /** A rebuilt console is picked up with its next page. */
  async function current(): Promise<Files> {
    const builtAt = await stat(join(directory, 'index.html')).then(
      (page) => page.mtimeMs,
      () => undefined,
    )
    if (builtAt !== readAt) {
      files = builtAt === undefined ? new Map() : await readFiles(directory)
      readAt = builtAt
    }
    return files
  }

  app.get('/*', async (request, reply) => {
    const path = request.url.replace(/[?#].*$/, '')
    const built = await current()
    const asset = built.get(path)
    if (asset !== undefined) return send(request, reply, asset, path)
    if (!wantsPage(request, path)) return reply.callNotFound()
    const page = built.get('/index.html')
    if (page !== undefined) return send(request, reply, page, '/index.html')
    return reply
      .status(503)
      .headers({ 'content-security-policy': securityPolicy, 'cache-control': 'no-store' })
      .type('text/html; charset=utf-8')
      .send(notBuilt)
  })
}

/** A browser going somewhere, as opposed to a client of the API that mistyped a path. */
function wantsPage(request: FastifyRequest, path: string): boolean {
  if (path === '/') return true
  return !/^\/(api|internal|v2)(\/|$)/.test(path) && (request.headers.accept ?? '').includes('text/html')
}

function send(request: FastifyRequest, reply: FastifyReply, file: StoredFile, path: string): FastifyReply {
  // The bundler puts a digest of the content into the names of everything under /assets.
  const immutable = path.startsWith('/assets/')
  reply
    .header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('content-security-policy', securityPolicy)
    .header('referrer-policy', 'no-referrer')
    .header('vary', 'accept-encoding')
    .header('etag', file.etag)
    .type(file.type)
  if (request.headers['if-none-match'] === file.etag) return reply.status(304).send()
  const compress = file.gzipped.length < file.body.length && /\bgzip\b/.test(String(request.headers['accept-encoding']))
  return compress ? reply.header('content-encoding', 'gzip').send(file.gzipped) : reply.send(file.body)
}

/** Every plain file below a directory by its URL path; names with a leading dot and symbolic links are left out. */
async function readFiles(directory: string): Promise<Files> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(async (entry) => {
      const file = join(entry.parentPath, entry.name)
      const body = await readFile(file)
      const stored: StoredFile = {
        body,
        gzipped: await promisify(gzip)(body),
        type: contentTypes[extname(file)] ?? 'application/octet-stream',
        etag: `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      }
      return [`/${relative(directory, file).split(sep).join('/')}`, stored] as const
    })
  return new Map(await Promise.all(files))
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>Pave</title>
<body style="font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem">
<h1>The console is not built yet</h1>
<p>Pave runs, and its API answers. To see the console, build it in the checkout and reload this page:</p>
<pre>npm run build:console</pre>
<p>What the API offers is described in <a href="/openapi.json">openapi.json</a>.</p>
</html>
`
