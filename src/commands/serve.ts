import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { authorityFileOf, type Enrolment, keepEnrolment, readEnrolment } from '#inference/enrolment.ts'
import { inferenceFailure } from '#inference/errors.ts'
import { digestOfJoinToken, isExposed, joinControlPlane, joinTicketOf } from '#inference/join-control-plane.ts'
import { type InferenceNode, serve } from '#inference/serve.ts'
import { planPublicKeyFile } from '#modules/releases/plan-key.ts'
import { systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { onlineUrlOf } from '#platform/control-plane.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { createIds } from '#platform/ids.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { createLogger } from '#platform/telemetry.ts'
import { reachable, schemeOf } from '#platform/tls/server-names.ts'
import { openServerTls, tlsDirectory } from '#platform/tls/server-tls.ts'
import { trustAuthorities } from '#platform/tls/trust.ts'
import { lingerMs } from './drain.ts'
import { warnOfOpenTransport } from './warn-of-open-transport.ts'

export interface ServeNodeOptions {
  /** The enrolment's, or `prod`, when it is not given. */
  environment: string | undefined
  name: string
  /** What `pave create-join-token` showed; needed at the first start on this machine alone. */
  joinToken: string | undefined
  say: (text: string) => void
}

/** An inference node: one that joined, or one beside the control plane's data directory, whose files it reads. */
export async function serveNode(config: Config, options: ServeNodeOptions): Promise<InferenceNode> {
  const { name } = options
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const directory = join(dataDir, 'nodes', name)
  await mkdir(dataDir, { recursive: true, mode: 0o711 })
  await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 })
  const log = createLogger(config.logLevel, join(dataDir, 'logs', `${name}.log`))
  if (config.caFile !== undefined) await trustAuthorities(config.caFile)
  const enrolment = await enrol(directory, options)
  // Beside a control plane, that one speaks to people; this one has its log.
  const say = enrolment === undefined ? (text: string) => log.info(text) : options.say
  const identity =
    enrolment === undefined ? await besideControlPlane(config, dataDir, options) : enrolled(config, enrolment)
  if (enrolment !== undefined && options.environment !== undefined && options.environment !== enrolment.environment) {
    throw mismatch(name, enrolment.environment, options.environment)
  }
  if (enrolment?.authority != null) await trustAuthorities(authorityFileOf(directory))
  if (identity.onlineUrl === undefined) {
    say('This node has no online store: endpoints that look features up answer with their fallback or an error.')
  }
  warnOfOpenTransport(config, 'The inference node', say)
  const clock = systemClock
  const tls = await openServerTls({ config, directory: tlsDirectory(dataDir), clock, log })
  const node = await serve({
    ...identity,
    nodeName: name,
    directory,
    listen: { host: config.host, port: config.inferencePort },
    tls,
    log,
    clock,
    ids: createIds(clock.now),
    onControlPlane(state) {
      if (state === 'answering') say('The control plane answers again.')
      else if (state === 'unreachable') say('The control plane does not answer; serving goes on with the last plan.')
      else say(refusedText(name))
    },
  })
  say(
    `${name} serves ${identity.environment} at ${schemeOf(config.tls)}://${reachable(config.host)}:${node.address.port}`,
  )
  return {
    address: node.address,
    async close(closing) {
      // A node of its own stands behind a balancer, which has to notice; the one of `pave up` does not.
      await node.close(closing ?? { lingerMs: enrolment === undefined ? 0 : lingerMs })
      tls?.close()
    },
  }
}

/**
 * Becomes a node of the environment that the token is for, and keeps what makes it one. Started again with the same token
 * it is one already; another token means that it is to join anew.
 */
async function enrol(directory: string, { joinToken, name, environment, say }: ServeNodeOptions) {
  const known = await readEnrolment(directory)
  if (joinToken === undefined || known?.joinedWith === digestOfJoinToken(joinToken)) return known
  const ticket = joinTicketOf(joinToken)
  if (environment !== undefined && environment !== ticket.environment) {
    throw mismatch('The join token', ticket.environment, environment)
  }
  if (isExposed(ticket)) say('WARNING: the control plane is reached without TLS; whoever listens can read its tokens.')
  const enrolment = { ...(await joinControlPlane(ticket, name)), joinedWith: digestOfJoinToken(joinToken) }
  await keepEnrolment(directory, enrolment)
  say(`${name} joined ${enrolment.environment}; from now on it starts without the join token.`)
  return enrolment
}

function enrolled(config: Config, enrolment: Enrolment) {
  const { workspace, environment, controlUrl, token, planPublicKey, onlineUrl } = enrolment
  return {
    workspace,
    environment,
    controlUrl: config.url ?? controlUrl,
    nodeToken: token,
    planPublicKey,
    onlineUrl: config.onlineUrl ?? onlineUrl ?? undefined,
  }
}

/** It shares the online store and the plan's public key, and gets address and token from the environment. */
async function besideControlPlane(config: Config, dataDir: string, { environment = 'prod', name }: ServeNodeOptions) {
  const { url, token } = config
  if (url === undefined || token === undefined) {
    throw clientFailure('usage', `${name} has not joined a control plane`, {
      hint: 'Make a token with `pave create-join-token`, and start the node with `pave serve --join TOKEN --name NAME`.',
    })
  }
  const planPublicKey = await readFile(planPublicKeyFile(dataDir), 'utf8').catch((cause: unknown) => {
    throw clientFailure('usage', `${dataDir} is not the data directory of a control plane`, {
      hint: 'On a machine of its own a node joins: see `pave create-join-token` and `pave serve --join`.',
      cause,
    })
  })
  const onlineUrl = config.onlineUrl ?? onlineUrlOf(dataDir)
  return { environment, controlUrl: url, nodeToken: token, planPublicKey, onlineUrl }
}

function mismatch(what: string, is: string, wanted: string) {
  return inferenceFailure('join_environment_mismatch', `${what} is of the environment ${is}, not of ${wanted}`)
}

const refusedText = (name: string) =>
  `WARNING: the control plane refuses the token of ${name}: it was revoked. Serving goes on with the last plan and no new ` +
  `one will come. To bring it back, start it with \`--join\` and a fresh token of \`pave create-join-token\`.`
