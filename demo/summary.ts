/** What the job did, for people and for machines. */
export interface Summary {
  seconds: number
  dataset: { rows: number; quarantined: number }
  training: { rows: number }
  versions: Array<{
    version: string
    auc: number
    baseline_auc: number
    live_auc: number | null
    status: string
    why: string
  }>
  gates: Array<{ version: string; passed: boolean; failed_rules: string[] }>
  requests: number
  failed_requests: number
  latency_ms: { p50: number; p99: number }
  drift: Array<{ feature: string; metric: string; value: number; since: string }>
  retrained: string | null
  rollback: { version: string; reason: string; seconds: number; failed_requests: number } | null
  incidents: Array<{ incident: string; title: string; state: string }>
  ledger: { entries: number; verified: boolean }
  evidence: string[]
  console: string
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
}

/** The short table at the end. */
export function renderSummary(summary: Summary): string {
  const rows = [
    ['version', 'AUC', 'baseline', 'live AUC', 'status', 'why'],
    ...summary.versions.map((version) => [
      version.version,
      version.auc.toFixed(3),
      version.baseline_auc.toFixed(3),
      version.live_auc?.toFixed(3) ?? '-',
      version.status,
      version.why,
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const worst = summary.drift.slice(0, 6)
  return [
    '',
    ...table,
    '',
    `data       ${summary.dataset.rows.toLocaleString('en')} rows, ${summary.dataset.quarantined} in quarantine; trained on ${summary.training.rows.toLocaleString('en')}`,
    `requests   ${summary.requests.toLocaleString('en')}, failed ${summary.failed_requests}, p50 ${summary.latency_ms.p50.toFixed(1)} ms, p99 ${summary.latency_ms.p99.toFixed(1)} ms`,
    ...(worst.length === 0 ? ['drift      none found'] : []),
    ...worst.map(
      (one, index) =>
        `${index === 0 ? 'drift     ' : '          '} ${one.feature} ${one.metric} ${one.value.toFixed(2)} since ${one.since.slice(0, 10)}`,
    ),
    `retrained  ${summary.retrained ?? 'no'}`,
    summary.rollback === null
      ? 'rollback   none'
      : `rollback   ${summary.rollback.version} in ${summary.rollback.seconds.toFixed(2)} s, failed requests ${summary.rollback.failed_requests}: ${summary.rollback.reason}`,
    ...summary.incidents.map((one) => `incident   ${one.incident} ${one.state}: ${one.title}`),
    `ledger     ${summary.ledger.entries.toLocaleString('en')} entries, ${summary.ledger.verified ? 'verified against the signed checkpoints' : 'NOT VERIFIED'}`,
    ...summary.evidence.map((path, index) => `${index === 0 ? 'evidence  ' : '          '} ${path}`),
    `time       ${summary.seconds.toFixed(0)} s`,
    '',
  ].join('\n')
}
