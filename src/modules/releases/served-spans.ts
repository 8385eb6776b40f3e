/** A share of an endpoint's requests, as the serving plan has it. */
export interface Share {
  version: string
  variant: 'primary' | 'canary' | 'shadow'
  weight: number
  release: string | null
}

/** What a ledger entry says that was done to a release. */
export interface Step {
  entry: string
  at: string
  change: 'started' | 'advanced' | 'rolled-back'
  release: string
  version: string
  /** Null after a rollback, which leaves the release none. */
  stage: { state: 'shadow' | 'canary' | 'completed'; weight: number } | null
  /** What was settled on before the release was started, or is settled on again after it was rolled back. */
  previous: string | null
  /** Basis points of the requests that a shadow gets copies of. */
  sample: number
  generation: number | null
}

export interface Span {
  step: Step
  from: string
  /** Null while it is so. */
  until: string | null
  traffic: Share[]
  generation: number | null
}

interface Settled {
  version: string
  release: string
}

/**
 * What answered from each step to the next, oldest first. It is `trafficOf` over again, from what was entered in the
 * ledger instead of what the tables say now.
 *
 * @param steps of one endpoint, in the order in which they happened
 */
export function spansOf(steps: readonly Step[]): Span[] {
  const completed: Settled[] = []
  let settled: { version: string; release: string | null } | undefined
  let running: Step | undefined
  const spans: Span[] = []
  for (const step of steps) {
    const { change, stage, release, version } = step
    // What came before may be in no step: it was in another installation, or is too long ago.
    if (change === 'started' && settled === undefined && step.previous !== null) {
      settled = { version: step.previous, release: null }
    }
    if (change === 'rolled-back' && running?.release === release) {
      running = undefined
    } else if (change === 'rolled-back') {
      forget(completed, release)
      const to = step.previous
      settled = to === null ? undefined : { version: to, release: newestOf(completed, to) }
    } else if (stage?.state === 'completed') {
      settled = { version, release }
      completed.push({ version, release })
      running = undefined
    } else {
      running = step
    }
    const last = spans.at(-1)
    // Clocks of several control planes may differ by a little; the order of the ledger does not.
    const from = last !== undefined && Date.parse(last.from) > Date.parse(step.at) ? last.from : step.at
    if (last !== undefined) last.until = from
    const generation = step.generation ?? last?.generation ?? null
    spans.push({ step, from, until: null, traffic: sharesOf(settled, running), generation })
  }
  return spans
}

function sharesOf(
  settled: { version: string; release: string | null } | undefined,
  running: Step | undefined,
): Share[] {
  const canary = running?.stage?.state === 'canary' ? running.stage.weight : 0
  const shares: Share[] = []
  if (settled !== undefined) shares.push({ ...settled, variant: 'primary', weight: 10_000 - canary })
  if (running !== undefined) {
    const { version, release, sample, stage } = running
    const shadow = stage?.state === 'shadow'
    shares.push({ version, release, variant: shadow ? 'shadow' : 'canary', weight: shadow ? sample : canary })
  }
  return shares
}

function forget(completed: Settled[], release: string): void {
  const index = completed.findIndex((one) => one.release === release)
  if (index >= 0) completed.splice(index, 1)
}

/** The release by which a version served last, of those that were not rolled back. */
function newestOf(completed: readonly Settled[], version: string): string | null {
  return completed.findLast((one) => one.version === version)?.release ?? null
}

/** What was so at an instant; undefined before the first step. A moment of change belongs to what came. */
export function spanAt(spans: readonly Span[], at: number): Span | undefined {
  return spans.findLast((span) => Date.parse(span.from) <= at)
}

/** What a node answers with that has a plan of this generation: the last change that the plan had heard of. */
export function spanOfGeneration(spans: readonly Span[], generation: number): Span | undefined {
  return spans.findLast((span) => span.generation !== null && span.generation <= generation)
}

/** Spans of any number of endpoints, and of the shares in them, from behind the one that `after` is the key of. */
export function newestFirst<S extends Pick<Span, 'from'>>(
  spans: readonly S[],
  keyOf: (span: S) => string,
  after: string | undefined,
): S[] {
  // The sort keeps the order of what began in the same moment.
  const sorted = spans.toReversed().sort((a, b) => Date.parse(b.from) - Date.parse(a.from))
  return after === undefined ? sorted : sorted.slice(sorted.findIndex((span) => keyOf(span) === after) + 1)
}
