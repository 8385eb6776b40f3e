import type { Operation } from '#platform/operation.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { applyChanges, type Change, planManifests } from '#platform/surfaces/manifests/apply-manifests.ts'
import { kindsOf } from '#platform/surfaces/manifests/kinds.ts'
import { readManifests } from '#platform/surfaces/manifests/read-manifests.ts'

const signs = { create: '+', update: '~', unchanged: ' ' } as const

/** `pave plan PATH`: what `pave apply PATH` would do. */
export async function plan(
  path: string,
  client: Client,
  operations: readonly Operation[],
  output: Output,
): Promise<number> {
  const changes = await planManifests(client, await readManifests(path, kindsOf(operations)))
  for (const change of changes) show(change, output)
  output.out(summary(changes, 'to create', 'to update'))
  return exitCodes.ok
}

/** `pave apply PATH`: shows the difference, then puts what differs in dependency order. */
export async function apply(
  path: string,
  client: Client,
  operations: readonly Operation[],
  output: Output,
): Promise<number> {
  const changes = await planManifests(client, await readManifests(path, kindsOf(operations)))
  await applyChanges(client, changes, (change) => show(change, output))
  output.out(summary(changes, 'created', 'updated'))
  return exitCodes.ok
}

function show(change: Change, output: Output): void {
  output.out(`${signs[change.action]} ${change.manifest.kind.kind} ${change.manifest.name}`)
  for (const { path, before, after } of change.differences) {
    output.out(`    ${path}: ${JSON.stringify(before) ?? '(nothing)'} → ${JSON.stringify(after) ?? '(nothing)'}`)
  }
}

function summary(changes: readonly Change[], created: string, updated: string): string {
  const count = (action: Change['action']) => changes.filter((change) => change.action === action).length
  return `${count('create')} ${created}, ${count('update')} ${updated}, ${count('unchanged')} unchanged`
}
