import type { Logger } from 'pino'
import type { ServedEndpoint, ServedVersion, ServingPlan, SignedServingPlan } from '#modules/releases/contract.ts'
import { PaveError } from '#platform/errors.ts'
import type { Artifacts } from './artifacts.ts'
import { compileEndpoint, type Endpoint, signatureOf, versionKey } from './compile-endpoint.ts'
import type { NodeStatus } from './control-plane-client.ts'
import type { OnnxPool } from './onnx-pool.ts'
import type { Override } from './override.ts'
import { emptyTable, endpointKey, type RouteTable } from './route-table.ts'

/** Brings what is loaded and served in line with the newest plan. */
export interface Reconciler {
  table(): RouteTable
  /**
   * Takes a verified plan. What it needs and is loaded is in force when this returns, such as a rollback; the rest
   * follows endpoint by endpoint as versions get ready. An endpoint whose versions cannot be loaded stays as it was.
   */
  accept(plan: ServingPlan, signed: SignedServingPlan): void
  override(overrides: readonly Override[]): void
  /** Tries again what could not be loaded. */
  retry(): void
  /** Returns when nothing is being loaded any more. */
  settled(): Promise<void>
  loading(): boolean
  /** Everything that the plan wants is served. */
  complete(): boolean
  status(): Omit<NodeStatus, 'environment'>
  /** Plans that endpoints in force come from, the newest last: what a restart needs. */
  documents(): SignedServingPlan[]
  /** Digests of what is loaded or wanted. */
  artifacts(): Set<string>
}

interface LoadFailure {
  version: string
  reason: string
  code: string
}

export interface ReconcilerOptions {
  pool: Pick<OnnxPool, 'load' | 'unload'>
  artifacts: Pick<Artifacts, 'read'>
  log: Logger
  /** Called after every change of what is served or known to fail. */
  onChange: () => void
}

export function createReconciler({ pool, artifacts, log, onChange }: ReconcilerOptions): Reconciler {
  let table = emptyTable
  let desired: ServingPlan | undefined
  let overrides: readonly Override[] = []
  const signedPlans = new Map<number, SignedServingPlan>()
  const loaded = new Map<string, ServedVersion>()
  const loading = new Map<string, Promise<void>>()
  const failed = new Map<string, LoadFailure>()
  const draining = new Set<Endpoint>()
  /** Endpoints of the plan that could not be made as planned. */
  let misfits: (LoadFailure & { key: string })[] = []

  function loadMissing(): void {
    for (const version of desired?.versions ?? []) {
      const key = versionKey(version.workspace, version.ref)
      if (loaded.has(key) || loading.has(key) || failed.has(key)) continue
      loading.set(key, load(key, version))
    }
  }

  async function load(key: string, version: ServedVersion): Promise<void> {
    const read = () => artifacts.read(version.artifact)
    try {
      await pool.load({ version: key, signature: signatureOf(version), read }, await read())
      loaded.set(key, version)
      log.info({ version: version.ref }, 'a version is loaded and warm')
    } catch (error) {
      log.error({ err: error, version: version.ref }, 'a version cannot be loaded')
      failed.set(key, describe(error, version.ref))
    }
    loading.delete(key)
    rebuild()
  }

  /** Makes the next route table from what is loaded, and lets go of what nothing refers to any more. */
  function rebuild(): void {
    if (desired === undefined) return
    const endpoints = new Map<string, Endpoint>()
    const unavailable = new Map<string, string>()
    misfits = []
    for (const planned of desired.endpoints) {
      const key = endpointKey(planned.workspace, planned.endpoint)
      const before = table.endpoints.get(key)
      const spec = overridden(planned)
      try {
        const same = before?.spec === spec && before.complete
        endpoints.set(key, same ? before : compileEndpoint(spec, desired.generation, loaded))
      } catch (error) {
        const misfit = describe(error, spec.endpoint)
        misfits.push({ ...misfit, key })
        unavailable.set(key, misfit.reason)
        if (before !== undefined) endpoints.set(key, before)
      }
    }
    const replaced = [...table.endpoints.values()].filter((endpoint) => ![...endpoints.values()].includes(endpoint))
    const keys = new Map(desired.keys.map((key) => [key.hash, key]))
    table = { generation: desired.generation, keys, endpoints, unavailable }
    for (const endpoint of replaced) drain(endpoint)
    unloadUnused()
    onChange()
  }

  /** A signed local override sends all traffic to a version that is loaded here. */
  function overridden(spec: ServedEndpoint): ServedEndpoint {
    const forced = overrides.find(
      ({ workspace, endpoint }) => workspace === spec.workspace && endpoint === spec.endpoint,
    )
    if (forced === undefined || isIdle(forced)) return spec
    return { ...spec, routes: [{ variant: 'primary', version: forced.version, weight: 10_000 }] }
  }

  /** An override whose version is not loaded here, and which therefore changes nothing. */
  function isIdle({ workspace, version }: Override): boolean {
    return !loaded.has(versionKey(workspace, version))
  }

  function drain(endpoint: Endpoint): void {
    if (endpoint.active === 0) return
    draining.add(endpoint)
    endpoint.onDrained = () => {
      draining.delete(endpoint)
      unloadUnused()
    }
  }

  function unloadUnused(): void {
    const used = new Set(desired?.versions.map(({ workspace, ref }) => versionKey(workspace, ref)))
    for (const { routes, shadows } of [...table.endpoints.values(), ...draining]) {
      for (const route of [...routes, ...shadows]) used.add(route.key)
    }
    for (const key of [...loaded.keys()].filter((candidate) => !used.has(candidate))) {
      loaded.delete(key)
      pool.unload(key)
    }
    const generations = new Set([...table.endpoints.values()].map(({ generation }) => generation))
    for (const generation of signedPlans.keys()) {
      if (generation !== desired?.generation && !generations.has(generation)) signedPlans.delete(generation)
    }
  }

  const update = () => {
    loadMissing()
    rebuild()
  }

  return {
    table: () => table,
    accept(plan, signed) {
      desired = plan
      signedPlans.set(plan.generation, signed)
      failed.clear()
      update()
    },
    override(next) {
      overrides = next
      rebuild()
    },
    retry() {
      if (failed.size === 0) return
      failed.clear()
      update()
    },
    async settled() {
      while (loading.size > 0) await Promise.all(loading.values())
    },
    loading: () => loading.size > 0,
    complete() {
      if (desired === undefined || loading.size > 0) return false
      // What no node can serve must not keep every node from being ready; what only has not arrived yet must.
      const missing = [...failed.values()].some(({ code }) => code === 'artifact_unavailable')
      return !missing || misfits.every(({ key }) => table.endpoints.has(key))
    },
    status: () => ({
      generation: table.generation,
      versions: [...loaded.values()].map(({ ref }) => ref).sort(),
      failed: [...failed.values(), ...misfits, ...overrides.filter(isIdle).map(describeIdle)].map(
        ({ version, reason }) => ({
          version,
          reason,
        }),
      ),
      overrides: overrides
        .filter((override) => !isIdle(override))
        .map(({ endpoint, version, reason, actor, at }) => ({ endpoint, version, reason, actor, at })),
    }),
    documents: () => [...signedPlans].sort(([a], [b]) => a - b).map(([, signed]) => signed),
    artifacts: () => new Set([...loaded.values(), ...(desired?.versions ?? [])].map(({ artifact }) => artifact)),
  }
}

function describe(error: unknown, thing: string): LoadFailure {
  const version =
    error instanceof PaveError && typeof error.details?.['version'] === 'string' ? error.details['version'] : thing
  const reason = error instanceof Error ? error.message : String(error)
  return { version, reason, code: error instanceof PaveError ? error.code : 'version_unloadable' }
}

function describeIdle({ endpoint, version }: Override) {
  return { version, reason: `The local override of ${endpoint} has no effect: ${version} is not loaded here` }
}
