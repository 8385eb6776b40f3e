import type { Version } from '#modules/registry/contract.ts'
import type { Entry, Subject } from '#platform/ledger/entry.ts'
import type { RuleResult } from './contract.ts'

/** A sealed ledger entry with its position; null until it is sealed. */
export interface PlacedEntry {
  leaf: number | null
  entry: Entry
}

export interface EvidenceInput {
  version: Version
  generatedAt: string
  gates: readonly RuleResult[]
  /** Upstream of the version, each with the operation that made the edge. */
  lineage: ReadonlyArray<{ from: Subject; to: Subject; operation: string }>
  entries: readonly PlacedEntry[]
  names: ReadonlyMap<string, string>
}

/** The chain data → features → run → version → approvals → release, as data; `renderEvidence` makes it a page. */
export function gatherEvidence(input: EvidenceInput): Record<string, unknown> {
  const { version, lineage, entries, names } = input
  const upstream = (kind: string) => [
    ...new Set(
      lineage
        .flatMap(({ from, to }) => [from, to])
        .filter((one) => one.kind === kind)
        .map((one) => one.id),
    ),
  ]
  const person = (id: string) => names.get(id) ?? id
  const placed = (operations: readonly string[]) =>
    entries
      .filter(({ entry }) => operations.includes(entry.operation))
      .map(({ leaf, entry }) => ({
        leaf,
        entry: entry.id,
        at: entry.at,
        operation: entry.operation,
        outcome: entry.outcome,
        by: person(entry.onBehalfOf ?? entry.actor.id),
        ...(entry.facts !== undefined && { facts: entry.facts }),
      }))
  return {
    version: version.ref,
    digest: version.digest,
    generatedAt: input.generatedAt,
    data: { datasetVersions: [...new Set([...version.datasets, ...upstream('dataset-version')])] },
    features: { service: version.featureService, inputs: version.features, views: upstream('feature-view') },
    training: { trainingSet: version.trainingSet, run: version.run, code: version.code },
    model: {
      artifact: version.artifact,
      twin: twinOf(version),
      signature: version.signature,
      author: person(version.author),
      registeredAt: version.registeredAt,
    },
    evaluation: { metrics: version.metrics, baseline: version.baseline, slices: version.slices },
    gates: input.gates,
    approvals: placed(['approve', 'reject', 'close-pending-operation']),
    releases: placed(['start-release', 'advance-release', 'rollback-release', 'complete-release']),
    ledger: entries.map(({ leaf, entry }) => ({ leaf, entry: entry.id, operation: entry.operation, at: entry.at })),
  }
}

/** The same for people: one page of Markdown. */
export function renderEvidence(input: EvidenceInput): string {
  const { version, names } = input
  const person = (id: string) => names.get(id) ?? id
  const lines = [
    `# Evidence for ${version.ref}`,
    '',
    `Generated ${input.generatedAt}. Version digest \`${version.digest}\`.`,
    '',
    '## Lineage',
    '',
    `- Data: ${version.datasets.join(', ') || 'not recorded'}`,
    `- Features: ${version.featureService ?? 'none'} (${version.features.join(', ') || 'none'})`,
    `- Training set: \`${version.trainingSet ?? 'not recorded'}\``,
    `- Run: ${version.run ?? 'not recorded'}, code \`${version.code ?? 'not recorded'}\``,
    `- Graph: ${graphText(version)}, registered ${version.registeredAt} by ${person(version.author)}`,
    '',
    '## Evaluation',
    '',
    '| metric | value | baseline |',
    '|---|---|---|',
    ...Object.entries(version.metrics).map(
      ([name, value]) => `| ${name} | ${value} | ${version.baseline?.metrics[name] ?? ''} |`,
    ),
    '',
    '## Gates',
    '',
    '| policy | rule | result | values |',
    '|---|---|---|---|',
    ...input.gates.map(
      (gate) =>
        `| ${gate.policy} | ${gate.rule} | ${gate.passed ? 'passed' : 'FAILED'} | ${cell(JSON.stringify(gate.values))} |`,
    ),
    '',
    '## What happened, by the ledger',
    '',
    '| leaf | time | operation | outcome | by |',
    '|---|---|---|---|---|',
    ...input.entries.map(
      ({ leaf, entry }) =>
        `| ${leaf ?? 'unsealed'} | ${entry.at} | ${entry.operation} | ${entry.outcome} | ${person(entry.onBehalfOf ?? entry.actor.id)} |`,
    ),
    '',
  ]
  return lines.join('\n')
}

/** The graph that Pave made of the model, and how it was compared; nothing when there is none. */
function twinOf({ twin }: Version) {
  if (twin?.state !== 'ready') return null
  const { artifact, tolerance, report, log } = twin
  return { artifact, tolerance, ...report, log }
}

function graphText({ artifact, twin }: Version): string {
  if (artifact !== null) return `\`${artifact}\``
  if (twin?.state !== 'ready') return 'none'
  const { converter, maxAbsolute, samples } = twin.report ?? {}
  return `ONNX twin \`${twin.artifact}\` by ${converter}, at most ${maxAbsolute} from the model over ${samples} samples`
}

/** Text in a cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
