import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { ServingPlan } from '#modules/releases/contract.ts'
import { SignedServingPlan } from '#modules/releases/contract.ts'
import { CallRefused, type ControlPlaneClient } from './control-plane-client.ts'
import { unlessMissing } from './durable-file.ts'
import { inferenceFailure } from './errors.ts'
import type { Reconciler } from './reconcile-plan.ts'
import { type TrustedKeys, verifyPlan } from './verify-plan.ts'

export interface FollowOptions {
  client: Pick<ControlPlaneClient, 'fetchPlan'>
  reconciler: Pick<Reconciler, 'accept' | 'retry' | 'table'>
  keys: TrustedKeys
  environment: string
  /** Undefined for a node that was not told. */
  workspace?: string | undefined
  log: Logger
  signal: AbortSignal
  /** Called when it changes how the control plane answers. */
  onControlPlane?: (state: ControlPlaneState) => void
  /** Called when the control plane answers without news: time for what it could not be told before. */
  onQuiet: () => void
}

/** `refused`: it answers, and does not know this node's token any more. */
export type ControlPlaneState = 'answering' | 'unreachable' | 'refused'

const longestBackoffMs = 1000
/** Between two questions, in case the control plane does not wait before it answers. */
const shortestRoundMs = 100

/** Asks for the next plan until the signal aborts. Whatever goes wrong, the node goes on with what it has. */
export async function followPlan(options: FollowOptions): Promise<void> {
  const { client, reconciler, log, signal } = options
  let failures = 0
  let state: ControlPlaneState = 'answering'
  const enter = (next: ControlPlaneState, error?: unknown) => {
    if (next === state) return
    state = next
    options.onControlPlane?.(next)
    if (next === 'answering') log.info('the control plane answers again')
    else if (next === 'refused') {
      log.error(
        { err: error },
        'the control plane refuses the token of this node: it was revoked, or is for another environment; serving goes on with the last plan, and no new one will come',
      )
    } else log.warn({ err: error }, 'no serving plan could be taken; serving goes on with the last one')
  }
  while (!signal.aborted) {
    const startedAt = performance.now()
    try {
      const document = await client.fetchPlan(reconciler.table().generation, signal)
      if (document === undefined) {
        reconciler.retry()
        options.onQuiet()
      } else {
        takePlan(document, options)
      }
      enter('answering')
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      failures++
      enter(isRefusal(error) ? 'refused' : 'unreachable', error)
    }
    const backoff = failures === 0 ? 0 : Math.min(50 * 2 ** failures, longestBackoffMs)
    await pause(Math.max(backoff, shortestRoundMs - (performance.now() - startedAt)), signal)
  }
}

const isRefusal = (error: unknown) => error instanceof CallRefused && (error.status === 401 || error.status === 403)

/**
 * Verifies a document and takes its plan.
 *
 * @throws `plan_refused`
 */
function takePlan(document: unknown, options: TakeOptions): ServingPlan {
  const { reconciler, keys, log } = options
  const plan = verifyPlan(document, keys, options)
  const held = reconciler.table().generation
  if (plan.generation <= held) {
    throw inferenceFailure('plan_refused', `Plan ${plan.generation} is not newer than plan ${held}, which is in force`)
  }
  reconciler.accept(plan, SignedServingPlan.parse(document))
  log.info({ generation: plan.generation }, 'a serving plan was taken')
  return plan
}

/** Takes the plans that an earlier process kept, oldest first; what cannot be used is logged and left. */
export async function restorePlans(
  file: string,
  options: TakeOptions & { reconciler: Pick<Reconciler, 'settled'> },
): Promise<void> {
  try {
    const text = await unlessMissing(readFile(file, 'utf8'))
    for (const document of text === undefined ? [] : z.array(z.unknown()).parse(JSON.parse(text))) {
      takePlan(document, options)
      await options.reconciler.settled()
    }
  } catch (error) {
    options.log.error({ err: error }, 'a serving plan on disk is not taken')
  }
}

type TakeOptions = Pick<FollowOptions, 'reconciler' | 'keys' | 'environment' | 'workspace' | 'log'>

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}
