import { canonicalJson } from '#platform/canonical-json.ts'

const none = () => ({ there: 0, here: 0 })

const noCounts = () => ({
  experiments: none(),
  runs: none(),
  params: none(),
  tags: none(),
  points: none(),
  files: none(),
  bytes: none(),
  loggedModels: none(),
  traces: none(),
  spans: none(),
  assessments: none(),
  scorers: none(),
  models: none(),
  versions: none(),
  aliases: none(),
  datasets: none(),
  records: none(),
})

type Kind = keyof ReturnType<typeof noCounts>

export interface Verified {
  /** What the other server has, and what of it was found here. */
  counts: ReturnType<typeof noCounts>
  /** All differences; the first ones are named. */
  differing: number
  differences: Array<{ what: string; message: string }>
  /** Kinds of things that one of them does not show, so that nobody can say whether they are alike. */
  absent: string[]
}

export const nothingVerified = (): Verified => ({ counts: noCounts(), differing: 0, differences: [], absent: [] })

const mostNamed = 100

export type Notes = ReturnType<typeof notesOf>

export function notesOf(verified: Verified) {
  const differ = (what: string, message: string) => {
    verified.differing++
    if (verified.differences.length < mostNamed) verified.differences.push({ what, message })
  }
  const count = (kind: Kind, there: number, here: number) => {
    verified.counts[kind].there += there
    verified.counts[kind].here += here
  }
  return {
    differ,
    count,
    find<T>(kind: Kind, what: string, found: T | undefined): T | undefined {
      count(kind, 1, found === undefined ? 0 : 1)
      if (found === undefined) differ(what, 'is not here')
      return found
    },
    /** Names each aspect that differs, and the first of its keys. */
    compare(what: string, there: Record<string, unknown>, here: Record<string, unknown>) {
      for (const [aspect, theirs] of Object.entries(there)) {
        const difference = firstDifference(aspect, theirs, here[aspect])
        if (difference !== undefined) differ(what, difference)
      }
    },
  }
}

function firstDifference(aspect: string, there: unknown, here: unknown): string | undefined {
  const [theirs, ours] = [canonicalJson(there ?? null), canonicalJson(here ?? null)]
  if (theirs === ours) return undefined
  if (isRecord(there) && isRecord(here)) {
    for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
      const [one, other] = [canonicalJson(there[key] ?? null), canonicalJson(here[key] ?? null)]
      if (one !== other) return `${aspect} ${key}: ${short(there[key])} there, ${short(here[key])} here`
    }
  }
  return `${aspect}: ${short(there)} there, ${short(here)} here`
}

function short(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
