import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { getVersion, type Version } from '#modules/registry/contract.ts'
import { getArtifact } from '#modules/tracking/contract.ts'
import { findAttachment } from './attachments.ts'
import type { Call } from './endpoint.ts'
import { notFound } from './errors.ts'
import type { Location } from './location.ts'
import { modelFile } from './model-file.ts'
import { graphFile, readVersionFiles, writeModelFile } from './version-files.ts'

/** Bytes in the object store, or a text that stands for them. */
type Found = { size: number } & ({ digest: string } | { text: string })

/** Answers a file of a run, logged model or version, or the part of it that was asked for; memory stays the same. */
export async function sendFile(
  call: Call,
  request: FastifyRequest,
  reply: FastifyReply,
  location: Location,
): Promise<FastifyReply> {
  const found = await findFile(call, location)
  const { size } = found
  // Whatever was uploaded must not run in the browser of whoever looks at it.
  reply
    .type('application/octet-stream')
    .header('accept-ranges', 'bytes')
    .header('content-disposition', dispositionOf(location.path))
    .header('content-security-policy', "sandbox; default-src 'none'")
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'private, no-cache')
  const etag = 'digest' in found ? `"${found.digest}"` : undefined
  if (etag !== undefined) reply.header('etag', etag)
  const range = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  const wanted = range ? wantedRange(request.headers.range, size) : undefined
  if (wanted === 'beyond') return reply.status(416).header('content-range', `bytes */${size}`).send('')
  const { start, end } = wanted ?? { start: 0, end: size - 1 }
  reply.header('content-length', end - start + 1)
  if (wanted !== undefined) reply.status(206).header('content-range', `bytes ${start}-${end}/${size}`)
  if (request.method === 'HEAD') return reply.send('')
  if ('text' in found) return reply.send(Buffer.from(found.text).subarray(start, end + 1))
  const { objects } = call.platform.services
  if (wanted === undefined) return reply.send(await objects.open(found.digest))
  // A part cannot be checked against the digest of the whole, so the file is: once, and not again until it changes.
  const path = await objects.localPath(found.digest)
  return reply.send(size === 0 ? Readable.from([]) : createReadStream(path, { start, end }))
}

export async function findFile(call: Call, location: Location): Promise<Found> {
  const { path } = location
  if (location.kind === 'artifact') return call.run(getArtifact, { owner: location.owner, path })
  if (location.kind === 'attachment') return findAttachment(call, location)
  const version = await call.run(getVersion, { version: location.version })
  const found =
    version.files === null ? await describedFile(call, version, path) : await storedFile(call, version, path)
  if (found === undefined) throw notFound(`${version.ref} has no file ${path}`)
  return found
}

async function storedFile(call: Call, version: Version, path: string): Promise<Found | undefined> {
  return (await readVersionFiles(call, version)).find((file) => file.path === path)
}

/** Of a version that was registered as a graph and nothing else. */
async function describedFile(call: Call, version: Version, path: string): Promise<Found | undefined> {
  if (version.artifact === null) return undefined
  if (path === modelFile) {
    const text = writeModelFile(version)
    return { text, size: Buffer.byteLength(text) }
  }
  return path === graphFile ? call.platform.services.objects.stat(version.artifact) : undefined
}

function dispositionOf(path: string): string {
  const name = encodeURIComponent(path.split('/').at(-1) ?? '').replaceAll("'", '%27')
  return name === '' ? 'attachment' : `attachment; filename*=UTF-8''${name}`
}

/** One range of bytes; undefined for the whole, which is also the answer to several ranges and to what is no range. */
function wantedRange(header: string | undefined, size: number): { start: number; end: number } | 'beyond' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  return start > end ? 'beyond' : { start, end }
}
