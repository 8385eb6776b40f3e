import { parse } from 'yaml'
import { z } from 'zod'

const Condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully'])

/** What of a service the processes that stand in for containers need. */
const Service = z.object({
  image: z.string(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
  depends_on: z.record(z.string(), z.object({ condition: Condition })).default({}),
  healthcheck: z.object({ test: z.array(z.string()).optional() }).optional(),
  restart: z.string(),
  deploy: z.object({ resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }) }),
})
export type Service = z.output<typeof Service>

const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
  configs: z.record(z.string(), z.object({ file: z.string() })),
})
export type Compose = z.output<typeof Compose>

/** The file as Compose reads it, with these variables in place of `.env`. */
export function readCompose(text: string, variables: Readonly<Record<string, string>>): Compose {
  return Compose.parse(interpolate(parse(text, { merge: true }), variables))
}

/** In values, and after YAML: `${A}`, `${A:-default}`, `${A:?what is wrong}` and `$$`. */
function interpolate(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((item) => interpolate(item, variables))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item, variables)]))
  }
  if (typeof value !== 'string') return value
  return value.replace(/\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})/g, (whole, name, kind, more) => {
    if (whole === '$$') return '$'
    const found = variables[name] ?? ''
    if (found !== '') return found
    if (kind === '?') throw new Error(`${name} ${more}`)
    return more ?? ''
  })
}

/** Services in an order in which each comes after those that it depends on. */
export function inOrder(services: Readonly<Record<string, Service>>): string[] {
  const order: string[] = []
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) throw new Error(`${[...path, name].join(' → ')} is a circle`)
    const service = services[name]
    if (service === undefined) throw new Error(`${path.at(-1)} depends on ${name}, which is no service`)
    for (const other of Object.keys(service.depends_on)) visit(other, [...path, name])
    if (!order.includes(name)) order.push(name)
  }
  for (const name of Object.keys(services)) visit(name, [])
  return order
}
