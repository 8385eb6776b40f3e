import { z } from 'zod'
import { readJson } from '#algorithms/otlp/read-json.ts'
import { mostPerSpan, mostSpans, type Span } from '#modules/traces/contract.ts'
import { digitsOf, parseExactly } from './exact-json.ts'

/**
 * Spans as MLflow keeps them in its database and in `traces.json`: each attribute is a text of JSON. Before version 3
 * they were written in other words.
 */
export function readStoredSpan(stored: unknown): Span {
  const of = fieldsOf(typeof stored === 'string' ? parseExactly(stored) : stored)
  const context = fieldsOf(of.get('context'))
  const status = fieldsOf(of.get('status'))
  const parent = of.get('parent_span_id') ?? of.get('parent_id')
  return {
    span: spanIdOf(of.get('span_id') ?? context.get('span_id')),
    parent: parent === undefined || parent === '' ? null : spanIdOf(parent),
    name: textOf(of.get('name')).slice(0, 1000),
    kind: 0,
    start: digitsOf(of.get('start_time_unix_nano') ?? of.get('start_time')) ?? '0',
    end: digitsOf(of.get('end_time_unix_nano') ?? of.get('end_time')) ?? null,
    status: statusOf(textOf(status.get('code') ?? of.get('status_code'))),
    message: textOf(status.get('message') ?? of.get('status_message')).slice(0, 10_000),
    attributes: attributesOf(of.get('attributes')),
    events: listOf(of.get('events')).map((event) => ({
      name: textOf(event.get('name')).slice(0, 1000),
      time: digitsOf(event.get('time_unix_nano') ?? event.get('timestamp')) ?? '0',
      attributes: jsonOf(event.get('attributes')),
    })),
    links: listOf(of.get('links')).map((link) => ({
      trace: textOf(link.get('trace_id')).slice(-32),
      span: spanIdOf(link.get('span_id')),
      attributes: jsonOf(link.get('attributes')),
    })),
  }
}

/** Ids of the files that spans refer to, such as images. */
export function attachmentsOf(spans: readonly Span[]): string[] {
  const found = spans.flatMap(({ attributes }) => [...attributes.matchAll(/mlflow-attachment:\/\/([0-9a-f-]{36})\b/g)])
  return [...new Set(found.flatMap(([, id]) => z.uuid().safeParse(id).data ?? []))]
}

/** The file that MLflow keeps, and answers, for a trace whose spans are not in its database. */
export function readTraceFile(text: string): Span[] {
  const spans = fieldsOf(parseExactly(text)).get('spans')
  return Array.isArray(spans) ? spans.map(readStoredSpan) : []
}

/** OpenTelemetry's spans as MLflow's answers have them: in snake case, with ids in base64. */
export function readWireSpans(spans: readonly unknown[]): Span[] {
  const limits = { spans: mostSpans, perSpan: mostPerSpan }
  const read = []
  for (let at = 0; at < spans.length; at += mostSpans) {
    const resourceSpans = [{ scopeSpans: [{ spans: spans.slice(at, at + mostSpans).map(inCamelCase) }] }]
    read.push(...readJson({ resourceSpans }, limits).spans)
  }
  return read.map(({ trace: _, ...span }) => ({
    ...span,
    name: span.name.slice(0, 1000),
    message: span.message.slice(0, 10_000),
  }))
}

const ids = new Set(['trace_id', 'span_id', 'parent_span_id'])

function inCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inCamelCase)
  if (typeof value !== 'object' || value === null) return value
  if ('rawJSON' in value) return value.rawJSON
  const entries = Object.entries(value).map(([key, one]) => [
    key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ids.has(key) && typeof one === 'string' ? Buffer.from(one, 'base64').toString('hex') : inCamelCase(one),
  ])
  return Object.fromEntries(entries)
}

function statusOf(code: string): Span['status'] {
  if (code.endsWith('OK')) return 'ok'
  return code.endsWith('ERROR') ? 'error' : 'unset'
}

function spanIdOf(value: unknown): string {
  const text = textOf(value)
  // In base64 it ends with an equals sign, whatever it begins with.
  if (/^0x[0-9a-f]{1,16}$/.test(text)) return text.slice(2).padStart(16, '0')
  return /^[0-9a-f]{16}$/.test(text) ? text : Buffer.from(text, 'base64').toString('hex')
}

function attributesOf(attributes: unknown): string {
  const parts = [...fieldsOf(attributes)].map(([key, value]) => {
    const json = typeof value === 'string' && isJson(value) ? value : JSON.stringify(value)
    return `${JSON.stringify(key)}:${json}`
  })
  return `{${parts.join(',')}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function jsonOf(attributes: unknown): string {
  return JSON.stringify(attributes ?? {})
}

function fieldsOf(value: unknown): Map<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  return new Map(isRecord ? Object.entries(value).filter(([, one]) => one !== null) : [])
}

function listOf(value: unknown): Map<string, unknown>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
