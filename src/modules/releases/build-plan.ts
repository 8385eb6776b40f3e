import { sql } from 'kysely'
import { compiledService } from '#modules/feature-store/queries.ts'
import { servingKeys } from '#modules/identity/queries.ts'
import { graphOf, resolveVersion } from '#modules/registry/queries.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import type { OperationContext } from '#platform/context.ts'
import { digestOf } from '#platform/ids.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { basisPoints, type ServedEndpoint, type ServedVersion, type ServingPlan } from './contract.ts'
import { planKey } from './plan-key.ts'
import { announcePlan } from './plan-news.ts'
import { type EndpointRow, type ReleaseRow, releasesFailure, runningRelease } from './tables.ts'

/**
 * Writes the environment's serving plan of the state in this transaction, signed and one generation higher, unless
 * nothing in it changed. The row's lock puts concurrent changes in an order.
 */
export async function publishServingPlan(
  ctx: OperationContext,
  environment: string,
): Promise<{ generation: number; changed: boolean }> {
  const { rows } = await sql<{ generation: number; content_digest: string }>`
    insert into releases.plan (workspace, environment, generation, content_digest, payload, signature, key_id, issued_at)
    values (${ctx.workspace}, ${environment}, 0, '', '', '', '', ${ctx.clock.iso()})
    on conflict (workspace, environment) do update set generation = releases.plan.generation
    returning generation, content_digest
  `.execute(ctx.db)
  const before = rows[0] ?? { generation: 0, content_digest: '' }
  const lowest = lowestGeneration(await ledgerEpoch(ctx.db))
  const content = await planContent(ctx, environment)
  const contentDigest = digestOf(canonicalJson(content))
  if (contentDigest === before.content_digest && before.generation >= lowest) {
    return { generation: before.generation, changed: false }
  }
  const plan: ServingPlan = {
    format: 1,
    generation: Math.max(before.generation + 1, lowest),
    issuedAt: ctx.clock.iso(),
    workspace: ctx.workspace,
    environment,
    ...content,
  }
  const { payload, signature, keyId } = planKey(ctx.services.config.dataDir).sign(JSON.stringify(plan))
  await sql`
    update releases.plan
    set generation = ${plan.generation}, content_digest = ${contentDigest}, payload = ${payload},
        signature = ${signature}, key_id = ${keyId}, issued_at = ${plan.issuedAt}
    where environment = ${environment}
  `.execute(ctx.db)
  ctx.entry.facts({ environment, generation: plan.generation, plan: digestOf(payload) })
  await announcePlan(ctx, environment)
  return { generation: plan.generation, changed: true }
}

/** Seconds from 1970 to 2020: with them taken off, the generations of this century fit their column. */
const generationsBegin = 1_577_836_800

/**
 * A restore takes the generations back to those of the backup, and nodes refuse what is older than what they have. Its time
 * is ahead of every generation that was published before it: nobody publishes a plan a second for years.
 */
function lowestGeneration(epoch: number): number {
  return Math.max(1, epoch - generationsBegin)
}

async function ledgerEpoch(db: Db): Promise<number> {
  const { rows } = await sql<{ epoch: number }>`select epoch from ledger.head`.execute(db)
  return rows[0]?.epoch ?? 0
}

async function planContent(
  ctx: OperationContext,
  environment: string,
): Promise<Pick<ServingPlan, 'keys' | 'endpoints' | 'versions'>> {
  const { rows } = await sql<EndpointRow>`
    select environment, name, spec, salt, version, release from releases.endpoint
    where environment = ${environment} order by name
  `.execute(ctx.db)
  const endpoints: ServedEndpoint[] = []
  const refs = new Set<string>()
  for (const row of rows) {
    const running = await runningRelease(ctx.db, environment, row.name)
    endpoints.push(await servedEndpoint(ctx, row, running))
    for (const ref of await warmVersions(ctx, row, running)) refs.add(ref)
  }
  const keys = await servingKeys(ctx.db, environment, ctx.clock.iso())
  return {
    keys: keys.map((key) => ({ ...key, workspace: ctx.workspace })),
    endpoints,
    versions: await Promise.all([...refs].sort().map((ref) => servedVersion(ctx, ref))),
  }
}

/** What serves, what is being tried, and what a rollback would return to: all of it loaded, so that a swap is instant. */
async function warmVersions(
  ctx: OperationContext,
  row: EndpointRow,
  running: ReleaseRow | undefined,
): Promise<string[]> {
  const { rows } = await sql<{ previous: string | null }>`
    select previous from releases.release where id = ${row.release}
  `.execute(ctx.db)
  return [row.version, running?.version, rows[0]?.previous].filter((ref) => ref !== null && ref !== undefined)
}

async function servedEndpoint(
  ctx: OperationContext,
  row: EndpointRow,
  running: ReleaseRow | undefined,
): Promise<ServedEndpoint> {
  const { spec } = row
  const service = spec.featureService === null ? undefined : await compiledService(ctx.db, spec.featureService)
  const candidate = running?.state === 'canary' ? running : undefined
  const routes: ServedEndpoint['routes'] = []
  if (row.version !== null) {
    routes.push({ variant: 'primary', version: row.version, weight: 10_000 - (candidate?.weight ?? 0) })
  }
  if (candidate !== undefined) routes.push({ variant: 'canary', version: candidate.version, weight: candidate.weight })
  const sample = basisPoints(running?.strategy.shadow?.sample ?? '0%')
  return {
    workspace: ctx.workspace,
    environment: row.environment,
    endpoint: row.name,
    release: running?.id ?? row.release,
    routes,
    shadows: running?.state === 'shadow' ? [{ version: running.version, sample }] : [],
    salt: row.salt,
    targetingField: spec.targetingField,
    request: service?.request ?? [],
    timestampField: service?.timestampField ?? null,
    views: service?.views ?? [],
    onDemand: service?.onDemand ?? [],
    fallback: spec.fallback,
    limits: spec.limits,
  }
}

async function servedVersion(ctx: OperationContext, ref: string): Promise<ServedVersion> {
  const version = await resolveVersion(ctx.db, ref)
  const graph = graphOf(version)
  if (graph === undefined) throw releasesFailure('version_without_graph', `${version.ref} has no ONNX graph to serve`)
  return {
    ref: version.ref,
    workspace: ctx.workspace,
    model: version.model,
    version: version.version,
    artifact: graph.artifact,
    ...(graph.twin && { twin: true }),
    signature: graph.signature,
    features: version.features,
    output: graph.output,
  }
}
