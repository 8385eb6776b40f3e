import { createHash } from 'node:crypto'
import { logSpans, mostSpans, readTraces, recordTraceAttachment, type Span, TraceId } from '#modules/traces/contract.ts'
import { importScorer, importTraces } from '#modules/traces/import-contract.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { PaveError } from '#platform/errors.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { type Copied, type CopyOptions, instant, storeObject, toldUntilNow, tryCopying } from './copied.ts'
import type { MlflowTrace } from './mlflow-source.ts'
import { attachmentsOf } from './read-spans.ts'

/** A trace with this tag was copied whole when it looked like this. */
const copiedTag = 'pave.import.digest'
const pageOfTraces = 200
/** Traces are copied together until they have about so many spans. */
const fullGroup = { traces: 25, spans: 2000 }
const likelySpans = 10
const largestBatch = 8 * 1024 * 1024

interface TraceCopying extends CopyOptions {
  /** Theirs, and what it is here. */
  from: string
  /** A server tells nothing of the scorers of an experiment that is deleted. */
  deleted: boolean
  experiment: string
  copied: Copied
}

/** Copies the traces of an experiment with their spans and assessments, and its scorers. What was copied before is skipped. */
export async function copyTraces(copying: TraceCopying): Promise<void> {
  const { source, client, from, deleted, experiment, copied } = copying
  for await (const page of pagesOf(source.traces(from))) {
    const readable = page.filter((trace) => isReadable(trace, copying))
    const fresh = await changedSince(client, readable)
    copied.unchangedTraces += readable.length - fresh.length
    for (const group of groupsOf(fresh)) {
      await copyGroup(copying, group)
      copying.tick(toldUntilNow(copied))
    }
  }
  if (deleted) return
  for await (const { scorer_id, scorer_name, scorer_version, serialized_scorer, creation_time } of source.scorers(
    from,
  )) {
    await tryCopying(`scorer ${scorer_name} version ${scorer_version}`, copying, async () => {
      await client.call(importScorer, {
        experiment,
        scorer: scorer_id,
        name: scorer_name,
        version: scorer_version,
        serialized: serialized_scorer,
        createdAt: instant(creation_time),
      })
      copied.scorers++
    })
  }
}

async function* pagesOf(traces: AsyncIterable<MlflowTrace>): AsyncGenerator<MlflowTrace[]> {
  let page: MlflowTrace[] = []
  for await (const trace of traces) {
    page.push(trace)
    if (page.length === pageOfTraces) {
      yield page
      page = []
    }
  }
  if (page.length > 0) yield page
}

function isReadable({ trace }: MlflowTrace, { copied, say }: TraceCopying): boolean {
  if (TraceId.safeParse(trace).success) return true
  const message = 'its id is not tr- and 32 hexadecimal digits'
  copied.problems.push({ what: `trace ${trace}`, code: 'invalid_input', message })
  say(`trace ${trace}: ${message}`)
  return false
}

async function changedSince(client: Client, traces: readonly MlflowTrace[]): Promise<MlflowTrace[]> {
  const { traces: here } = await client.call(readTraces, { traces: traces.map(({ trace }) => trace), spans: false })
  const before = new Map(here.map(({ trace, tags }) => [trace, tags[copiedTag]]))
  return traces.filter((trace) => before.get(trace.trace) !== digestOf(trace) || trace.state === 'in_progress')
}

function* groupsOf(traces: readonly MlflowTrace[]): Generator<MlflowTrace[]> {
  let group: MlflowTrace[] = []
  let spans = 0
  for (const trace of traces) {
    if (group.length === fullGroup.traces || (group.length > 0 && spans >= fullGroup.spans)) {
      yield group
      group = []
      spans = 0
    }
    group.push(trace)
    spans += spanCountOf(trace) ?? likelySpans
  }
  if (group.length > 0) yield group
}

/** What its client counted, when it did. */
function spanCountOf({ metadata }: MlflowTrace): number | undefined {
  const counted = /"num_spans":\s*(\d+)/.exec(metadata['mlflow.trace.sizeStats'] ?? '')?.[1]
  return counted === undefined ? undefined : Number(counted)
}

/** When one of them cannot be copied, the others are. */
async function copyGroup(copying: TraceCopying, group: readonly MlflowTrace[]): Promise<void> {
  if (group.length > 1) {
    try {
      return await copyTogether(copying, group)
    } catch (error) {
      if (!(error instanceof PaveError) || error.code === 'unreachable') throw error
    }
  }
  for (const trace of group) {
    await tryCopying(`trace ${trace.trace}`, copying, () => copyTogether(copying, [trace]))
  }
}

/** The spans and files come first: a trace that says what it looked like is whole. */
async function copyTogether(copying: TraceCopying, group: readonly MlflowTrace[]) {
  const { source, client, experiment, copied } = copying
  const content = await source.spans(group)
  const spans = group.flatMap(({ trace }) => (content.get(trace) ?? []).map((span) => ({ ...span, trace })))
  for (const batch of batchesOf(spans)) {
    const logged = await client.call(logSpans, { experiment, spans: batch })
    copied.spans += logged.spans
  }
  const incomplete = new Set<string>()
  for (const trace of group) {
    for (const attachment of attachmentsOf(content.get(trace.trace) ?? [])) {
      const failed = await tryCopying(`trace ${trace.trace}: attachment ${attachment}`, copying, async () => {
        const { digest, size } = await storeObject(client, await source.attachment(trace, attachment))
        await client.call(recordTraceAttachment, { trace: trace.trace, attachment, digest, size })
        copied.files++
        copied.bytes += size
      })
      // One that is not there will not be there the next time either.
      if (failed?.absent === false) incomplete.add(trace.trace)
    }
  }
  const traces = group.map((trace) => ({
    ...trace,
    tags: { ...ownTags(trace.tags), ...(!incomplete.has(trace.trace) && { [copiedTag]: digestOf(trace) }) },
  }))
  await client.call(importTraces, { experiment, traces })
  copied.traces += group.length
}

function* batchesOf<T extends Span>(spans: readonly T[]): Generator<T[]> {
  let batch: T[] = []
  let size = 0
  for (const span of spans) {
    const length =
      span.attributes.length + span.events.reduce((sum, { attributes }) => sum + attributes.length + 100, 500)
    if (batch.length === mostSpans || (batch.length > 0 && size + length > largestBatch)) {
      yield batch
      batch = []
      size = 0
    }
    batch.push(span)
    size += length
  }
  if (batch.length > 0) yield batch
}

/** Without what an earlier copy said of itself, and where the other server kept files. */
function ownTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).filter(([key]) => key !== copiedTag && key !== 'mlflow.artifactLocation'),
  )
}

function digestOf(trace: MlflowTrace): string {
  const told = { ...trace, tags: ownTags(trace.tags) }
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(told))))
    .digest('hex')
}
