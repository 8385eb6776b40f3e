import { z } from 'zod'
import type { Actor } from '#platform/actor.ts'
import type { AnswerOf, Method, Operation } from '#platform/operation.ts'
import type { Platform } from '#platform/platform.ts'

/** One request of a client: it can do nothing but run operations as the caller. */
export interface Call {
  platform: Platform
  actor: Actor
  run<Op extends Operation>(
    operation: Op,
    input: z.input<Op['input']>,
    options?: { ifMatch?: string },
  ): Promise<AnswerOf<Op>>
}

/** An answer that is written already. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A path below `/api/2.0/mlflow`, what it takes (query of a GET, path parameters and JSON body) and its answer. */
export interface Endpoint {
  method: Method
  path: string
  answer(call: Call, request: unknown): Promise<unknown>
}

/** Unknown fields are ignored, as MLflow does. */
export function endpoint<I extends z.ZodType>(
  method: Method,
  path: string,
  input: I,
  answer: (call: Call, request: z.output<I>) => Promise<unknown>,
): Endpoint {
  return { method, path, answer: (call, request) => answer(call, input.parse(request)) }
}

/** 64-bit integers come as numbers from some clients and as texts from others. */
export const Integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,16}$/)
    .transform(Number),
])

/** A repeated field of a query is a text when it is there once. */
export const Texts = z.union([z.array(z.string()), z.string().transform((text) => [text])]).default([])

/** A text that is absent is empty. One that is longer than MLflow keeps loses its end, without a word. */
export function cutText(longest: number) {
  return z
    .string()
    .default('')
    .transform((text) => (text.length > longest ? text.slice(0, longest) : text))
}

export function keyValuesUpTo(most: number, value: z.ZodType<string, string | undefined> = z.string().default('')) {
  return z
    .array(z.object({ key: z.string(), value }))
    .max(most)
    .default([])
    .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value])))
}

export const KeyValues = keyValuesUpTo(10_000)

export function keyValues(record: Record<string, string>): { key: string; value: string }[] {
  return Object.entries(record).map(([key, value]) => ({ key, value }))
}

/** The largest page that was asked for and that Pave gives. */
export function pageSize(wanted: number | undefined, usual: number, largest: number): number {
  return Math.max(1, Math.min(wanted ?? usual, largest))
}

/** Fields that are not set and lists that are empty are left out, as MLflow leaves them out. */
export function omitEmpty<T extends object>(fields: T): Partial<T> {
  const kept: Partial<T> = {}
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)) kept[key] = value
  }
  return kept
}

/** How many results were asked for, of which MLflow allows so many. */
export function maxResults(most: number) {
  return Integer.refine((count) => count >= 1 && count <= most, `must be between 1 and ${most}`).optional()
}

/** The fields of a page request as Pave's lists take them. */
export function cursorOf(token: string | undefined): { cursor?: string } {
  return token === undefined || token === '' ? {} : { cursor: token }
}

export function nextPage(cursor: string | null): { next_page_token?: string } {
  return cursor === null ? {} : { next_page_token: cursor }
}
