import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { platformFailure } from '#platform/errors.ts'
import { inferenceFailure } from './errors.ts'

/** Bytes of a request's body, before and after decompression. */
const bodyLimit = 64 * 2 ** 20

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) }

/**
 * The JSON body of a request.
 *
 * @throws `body_too_large`, `malformed_body` with the position, `unsupported_encoding`
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const { 'content-encoding': encoding = 'identity', 'inference-header-content-length': binary } = request.headers
  if (binary !== undefined) {
    throw inferenceFailure(
      'unsupported_encoding',
      'The request uses the binary tensor extension, which is not served here',
    )
  }
  const bytes = await readBytes(request)
  const text = (await decode(bytes, encoding)).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw platformFailure('malformed_body', `The body is not JSON: ${reason}`)
  }
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const declared = Number(request.headers['content-length'] ?? 0)
    if (declared > bodyLimit) return reject(tooLarge())
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > bodyLimit) {
        request.removeAllListeners('data')
        reject(tooLarge())
      } else {
        chunks.push(chunk)
      }
    })
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)))
    request.on('error', () => reject(platformFailure('malformed_body', 'The body ended before its announced length')))
  })
}

async function decode(bytes: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === 'identity') return bytes
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    throw inferenceFailure('unsupported_encoding', `Content-Encoding ${encoding} is not read here`)
  }
  try {
    return await decoders[encoding](bytes, { maxOutputLength: bodyLimit })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw platformFailure('malformed_body', `The body is not valid ${encoding}`)
  }
}

function tooLarge() {
  return platformFailure('body_too_large', `The body is larger than ${bodyLimit / 2 ** 20} MiB`)
}
