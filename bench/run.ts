import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench, Measurement } from './measurement.ts'

// `npm run bench -- NAME [--json FILE]` measures Pave beside its peer and fails where a stated limit is missed.

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } })
const [name] = positionals
const file = join(import.meta.dirname, name ?? '', 'bench.ts')

if (name === undefined || !existsSync(file)) {
  const known = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  console.error(
    `Usage: npm run bench -- NAME [--json FILE]\nNAME is one of: ${known.map((one) => one.name).join(', ')}`,
  )
  process.exitCode = 2
} else {
  const { default: bench }: { default: Bench } = await import(file)
  const measurements = await bench((text) => console.error(text))
  console.log(renderTable(measurements))
  const missed = measurements.filter((one) => one.limit?.met === false)
  if (values.json !== undefined) {
    const machine = { node: process.version, cpus: availableParallelism() }
    await writeFile(values.json, `${JSON.stringify({ bench: name, machine, measurements }, null, 2)}\n`)
  }
  if (missed.length > 0) console.error(`Missed: ${missed.map((one) => one.name).join(', ')}`)
  process.exitCode = missed.length === 0 ? 0 : 1
}

function renderTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, unit, ours, peer, others = [], limit }) => [
    name,
    `${number(ours)} ${unit}`,
    peer === undefined ? '' : `${number(peer.value)} ${unit} (${peer.name})`,
    peer === undefined ? '' : `${number(ours / peer.value)}×`,
    limit === undefined ? '' : `${limit.text}${limit.met ? '' : '  MISSED'}`,
    others.map((other) => `${number(other.value)} ${unit} (${other.name})`).join(', '),
  ])
  const table = [['', 'ours', 'peer', 'ratio', 'limit', ''], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}
