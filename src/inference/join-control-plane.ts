import { hash, X509Certificate } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { z } from 'zod'
import { PaveError } from '#platform/errors.ts'
import { type JoinTicket, readJoinTicket } from '#platform/join-ticket.ts'
import { bareHost, isLoopback } from '#platform/tls/server-names.ts'
import { Enrolment } from './enrolment.ts'
import { inferenceFailure } from './errors.ts'
import { readTrustedKeys } from './verify-plan.ts'

const timeoutMs = 10_000

const Problem = z.object({ code: z.string(), detail: z.string(), hint: z.string().default('') })

/** Tells one join token from another without keeping it. */
export const digestOfJoinToken = (joinToken: string): string => hash('sha256', joinToken, 'hex')

/** @throws `join_token_malformed` */
export function joinTicketOf(joinToken: string): JoinTicket {
  const ticket = readJoinTicket(joinToken)
  if (ticket === undefined) throw inferenceFailure('join_token_malformed', 'This is not a join token, or not all of it')
  return ticket
}

/**
 * Becomes a node: the first control plane of the ticket that answers must prove that it is the one that made the ticket
 * before it gets to see the secret, and what it answers must be signed by the keys that the ticket names.
 *
 * @throws `join_refused_impostor`, `join_unreachable`, and what the control plane refuses with
 */
export async function joinControlPlane(ticket: JoinTicket, node: string): Promise<Omit<Enrolment, 'joinedWith'>> {
  const failures: string[] = []
  for (const address of ticket.addresses) {
    const url = new URL('/internal/v1/enrolments', address)
    let anchor: string | undefined
    try {
      anchor = url.protocol === 'https:' && ticket.pin !== null ? await pinnedCertificate(url, ticket.pin) : undefined
    } catch (error) {
      if (error instanceof PaveError) throw error
      failures.push(`${address}: ${reasonOf(error)}`)
      continue
    }
    // The ticket promises a certificate, so an address without one is somebody else's.
    if (url.protocol === 'http:' && ticket.pin !== null) throw impostor(address, 'it speaks without a certificate')
    const answer = await post(url, { secret: ticket.secret, node }, anchor).catch((error: unknown) => {
      failures.push(`${address}: ${reasonOf(error)}`)
    })
    if (answer !== undefined) return enrolmentOf(answer, { ticket, node, address })
  }
  throw inferenceFailure('join_unreachable', `No control plane answers: ${failures.join('; ')}`)
}

/** Whether the secret and the node's token would cross a network in the clear. */
export function isExposed(ticket: JoinTicket): boolean {
  return ticket.addresses.some((address) => {
    const { protocol, hostname } = new URL(address)
    return protocol === 'http:' && !isLoopback(bareHost(hostname))
  })
}

/** The certificate in the server's chain that has the pinned key. Nothing is sent: anybody may have answered. */
function pinnedCertificate(url: URL, pin: string): Promise<string> {
  const host = bareHost(url.hostname)
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(url.port || 443), rejectUnauthorized: false, timeout: timeoutMs }
    const socket = connect({ ...options, ...servernameOf(host) }, () => {
      const found = chainOf(socket.getPeerCertificate(true)).find((one) => spkiDigest(one) === pin)
      socket.destroy()
      if (found === undefined) reject(impostor(url.origin, 'its certificate is another one'))
      else resolve(found.toString())
    })
    socket.once('timeout', () => socket.destroy(new Error('no answer in time')))
    socket.once('error', reject)
  })
}

/** The chain as it was sent; nothing of it is proven yet. */
function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  const seen = new Set<DetailedPeerCertificate>()
  for (let one = leaf; one?.raw !== undefined && !seen.has(one); one = one.issuerCertificate) {
    seen.add(one)
    chain.push(new X509Certificate(one.raw))
  }
  return chain
}

const spkiDigest = (certificate: X509Certificate) =>
  hash('sha256', certificate.publicKey.export({ type: 'spki', format: 'der' }), 'hex')

/**
 * With an anchor, the certificate of this very connection must lead to it, whatever else was sent along: a chain that only
 * contains the pinned certificate proves nothing.
 */
function post(url: URL, body: unknown, anchor: string | undefined): Promise<{ status: number; body: string }> {
  const secure = anchor === undefined ? {} : { ca: [anchor], allowPartialTrustChain: true }
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const options = { method: 'POST', headers, agent: false, timeout: timeoutMs, ...secure }
    const request = send(url, options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    request.once('timeout', () => request.destroy(new Error('no answer in time')))
    request.once('error', reject)
    request.end(JSON.stringify(body))
  })
}

function enrolmentOf(
  answer: { status: number; body: string },
  { ticket, node, address }: { ticket: JoinTicket; node: string; address: string },
): Omit<Enrolment, 'joinedWith'> {
  const given = parseJson(answer.body)
  if (answer.status !== 200) throw refusalOf(answer, given, address)
  const enrolment = Enrolment.omit({ joinedWith: true }).safeParse(Object.assign({}, given, { controlUrl: address }))
  if (!enrolment.success) throw inferenceFailure('join_unreachable', `${address} answered, but not as Pave does`)
  const { environment, planPublicKey } = enrolment.data
  const strange = [...readTrustedKeys(planPublicKey).keys()].filter((key) => !ticket.planKeys.includes(key))
  if (strange.length > 0 || environment !== ticket.environment || enrolment.data.node !== node) {
    throw impostor(address, 'the key that it signs serving plans with is another one')
  }
  return enrolment.data
}

function refusalOf(answer: { status: number; body: string }, given: unknown, address: string): PaveError {
  const problem = Problem.safeParse(given)
  if (!problem.success) {
    return inferenceFailure('join_unreachable', `${address} answered ${answer.status}: ${answer.body.slice(0, 300)}`)
  }
  const { code, detail, hint } = problem.data
  return new PaveError(code, detail, { status: answer.status, hint })
}

function impostor(address: string, why: string): PaveError {
  return inferenceFailure('join_refused_impostor', `${address} is not the control plane that made this token: ${why}`)
}

/** A server name is for names; an address is checked against the certificate all the same. */
function servernameOf(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
