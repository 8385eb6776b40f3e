import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { mlflow } from './module.ts'

export interface Request {
  method?: string
  body?: unknown
  headers?: Record<string, string>
  /** A token; null for nobody's, the contributor's when left out. */
  as?: string | null
}

export interface OpenMlflow {
  pave: TestPlatform
  /** Of ada, who may log, and of vera, who may read. */
  token: string
  viewerToken: string
  /** All routes of the protocol, from Fastify's own tree: no list of ours that a new one could be missing from. */
  routes: { method: string; url: string }[]
  ask(url: string, request?: Request): Promise<Answer>
}

interface Answer {
  status: number
  text: string
  headers: Record<string, unknown>
  // The tests read answers as they are on the wire.
  json(): ReturnType<typeof JSON.parse>
}

/** A control plane that speaks MLflow's protocol, and two people with tokens. */
export async function openMlflow(): Promise<OpenMlflow> {
  const pave = await createTestPlatform({ modules: [identity, tracking, registry, traces, webhooks, mlflow] })
  await pave.as('ada', 'contributor')
  await pave.as('vera', 'viewer')
  const token = (await pave.run(createToken, { principal: 'ada', name: 'test' })).token
  const viewerToken = (await pave.run(createToken, { principal: 'vera', name: 'test' })).token
  const { http } = pave.controlPlane
  await http.ready()
  const all = routesOf(http.printRoutes({ commonPrefix: false, includeMeta: false }))
  return {
    pave,
    token,
    viewerToken,
    routes: all.filter(({ method, url }) => ofMlflow.test(url) && method !== 'OPTIONS' && method !== 'HEAD'),
    async ask(url, { method, body, headers, as = token } = {}) {
      const response = await http.inject({
        method: known(method ?? (body === undefined ? 'GET' : 'POST')),
        url,
        headers: { ...(as !== null && { authorization: `Bearer ${as}` }), ...headers },
        ...(body !== undefined && { payload: typeof body === 'object' && body !== null ? body : String(body) }),
      })
      return {
        status: response.statusCode,
        text: response.body,
        headers: response.headers,
        json: () => response.json(),
      }
    },
  }
}

const ofMlflow = /^\/(api|ajax-api)\/[23]\.0\/|^\/v1\/|get-artifact|artifacts\/files/

/** From Fastify's tree of all routes. */
function routesOf(tree: string) {
  const found: { method: string; url: string }[] = []
  const above: string[] = []
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', methods = ''] = /^([│ ]*(?:├── |└── ))(.*?)(?: \(([A-Z, ]+)\))?$/u.exec(line) ?? []
    if (indent === '') continue
    const depth = indent.length / 4 - 1
    above.length = depth
    above.push(part)
    for (const method of methods.split(', ')) if (method !== '') found.push({ method, url: above.join('') })
  }
  return found
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const

function known(method: string): (typeof methods)[number] {
  return methods.find((one) => one === method) ?? 'GET'
}
