import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { PaveError } from '../errors.ts'
import { type Operation, pathParameters } from '../operation.ts'
import { type Client, isPending } from './client.ts'
import { clientFailure } from './client-errors.ts'
import { followJob } from './follow-job.ts'
import { renderAnswer } from './render-answer.ts'

/** Exit codes of every command; documented in docs/reference/command-line.md. */
export const exitCodes = { ok: 0, refused: 1, usage: 2, notAllowed: 3, waiting: 4, unreachable: 5 } as const

export interface Output {
  out(line: string): void
  err(line: string): void
}

interface Flag {
  name: string
  required: boolean
  type: 'string' | 'number' | 'boolean' | 'json'
  /** What plain words mean where JSON may stand: a list `a,b,c`, or the text itself. */
  plain?: 'list' | 'text'
  choices?: string[]
  description: string
}

/** Runs `pave <operation> [path parameters] [--flag value]…` through the client. */
export async function runCommand(
  operation: Operation,
  args: readonly string[],
  client: Client,
  output: Output,
): Promise<number> {
  const { json, follow, get, rest } = takeCommonFlags(operation, args)
  if (rest.includes('--help') || rest.includes('-h')) {
    output.out(helpOf(operation))
    return exitCodes.ok
  }
  const input = await readInput(operation, rest)
  const { output: answer } = await client.request(operation, input)
  if (get !== undefined) output.out(fieldOf(operation, answer, get))
  else output.out(json ? JSON.stringify(answer, null, 2) : renderAnswer(answer))
  if (isPending(answer)) {
    output.err(`It waits for ${answer.pending.quorum} approval(s): pave approve ${answer.pending.id}`)
    return exitCodes.waiting
  }
  if (follow && answer !== null && typeof answer === 'object' && 'job' in answer && typeof answer.job === 'string') {
    await followJob(client, answer.job, output.err)
  }
  return exitCodes.ok
}

interface CommonFlags {
  json: boolean
  follow: boolean
  get: string | undefined
  rest: string[]
}

/** The flags that every command has; an operation's own field of the same name comes first. */
function takeCommonFlags(operation: Operation, args: readonly string[]): CommonFlags {
  const taken: CommonFlags = { json: false, follow: false, get: undefined, rest: [] }
  const own = new Set(flagsOf(operation).map((flag) => `--${dashed(flag.name)}`))
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? ''
    if (arg === '--json') taken.json = true
    else if (arg === '--follow' && !own.has(arg)) taken.follow = true
    else if (arg === '--get' && !own.has(arg)) {
      taken.get = args[++index]
      if (taken.get === undefined) throw usage(operation, '--get needs the name of a field, such as items.0.id')
    } else taken.rest.push(arg)
  }
  if (taken.follow && !answersWithJob(operation)) throw usage(operation, 'There is no job to --follow')
  return taken
}

function answersWithJob({ output }: Operation): boolean {
  return output instanceof z.ZodObject && 'job' in output.shape
}

/** One field of an answer by its path, for scripts: texts bare, the rest as JSON. */
function fieldOf(operation: Operation, answer: unknown, path: string): string {
  let found = answer
  for (const name of path.split('.')) {
    found = typeof found === 'object' && found !== null ? new Map(Object.entries(found)).get(name) : undefined
  }
  if (found === undefined) throw usage(operation, `The answer has no field ${path}; --json shows what it has`)
  return typeof found === 'string' ? found : JSON.stringify(found)
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: PaveError): number {
  if (error.code === 'usage') return exitCodes.usage
  if (error.code === 'unreachable') return exitCodes.unreachable
  if (error.status === 401 || error.status === 403) return exitCodes.notAllowed
  if (error.code === 'approval_required') return exitCodes.waiting
  return exitCodes.refused
}

function flagsOf(operation: Operation): Flag[] {
  const schema = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' })
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]): Flag[] => {
    if (typeof property !== 'object') return []
    const kind = property.type
    const type =
      kind === 'integer' || kind === 'number'
        ? 'number'
        : kind === 'boolean'
          ? 'boolean'
          : kind === 'string' || property.enum !== undefined
            ? 'string'
            : 'json'
    const plain = kind === 'array' ? 'list' : property.anyOf?.some(isText) ? 'text' : undefined
    const flag: Flag = { name, required: required.has(name), type, description: property.description ?? '' }
    const choices = property.enum?.map(String)
    return [{ ...flag, ...(plain !== undefined && { plain }), ...(choices !== undefined && { choices }) }]
  })
}

const isText = (schema: unknown): boolean =>
  typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'string'

/** Words without a flag: the path's parameters, then the one field that has to be given, if it is one. */
function positionalOf(operation: Operation, flags: readonly Flag[]): string[] {
  const path = pathParameters(operation.path)
  const required = flags.filter((flag) => flag.required && !path.includes(flag.name))
  const [only] = required
  return only !== undefined && required.length === 1 && only.type === 'string' ? [...path, only.name] : path
}

export function helpOf(operation: Operation): string {
  const all = flagsOf(operation)
  const positional = positionalOf(operation, all)
  const flags = all.filter((flag) => !positional.includes(flag.name))
  const lines = [
    operation.summary,
    '',
    `Usage: pave ${operation.name}${positional.map((name) => ` <${name}>`).join('')}${flags.length > 0 ? ' [flags]' : ''}`,
  ]
  if (flags.length > 0) {
    const width = Math.max(...flags.map((flag) => dashed(flag.name).length))
    lines.push('', 'Flags:')
    for (const flag of flags) {
      const name = dashed(flag.name).padEnd(width + 2)
      lines.push(`  --${name} ${argumentOf(flag)}${flag.required ? ', required' : ''}  ${flag.description}`.trimEnd())
    }
  }
  lines.push('', '  --json       print the answer as JSON', '  --get FIELD  print one field of the answer: items.0.id')
  if (answersWithJob(operation)) lines.push('  --follow     wait for the end of the job, and tell its progress')
  return lines.join('\n')
}

/** What to write after a flag. */
function argumentOf(flag: Flag): string {
  if (flag.choices !== undefined) return flag.choices.join('|')
  if (flag.type !== 'json') return flag.type
  if (flag.plain === undefined) return 'JSON, or @file'
  return flag.plain === 'list' ? 'a,b,c or JSON' : 'text or JSON'
}

async function readInput(operation: Operation, args: readonly string[]): Promise<Record<string, unknown>> {
  const all = flagsOf(operation)
  const positional = positionalOf(operation, all)
  const flags = new Map(all.map((flag) => [flag.name, flag]))
  const input: Record<string, unknown> = {}
  const loose: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? ''
    if (!arg.startsWith('--')) {
      loose.push(arg)
      continue
    }
    const [written = '', inline] = splitOnce(arg.slice(2), '=')
    const name = camel(written)
    const flag = flags.get(name)
    if (flag === undefined) throw usage(operation, `There is no flag --${written}`)
    const followed = args[index + 1]
    if (flag.type === 'boolean' && inline === undefined && followed !== 'true' && followed !== 'false') {
      input[name] = true
      continue
    }
    const value = inline ?? args[++index]
    if (value === undefined) throw usage(operation, `--${written} needs a value`)
    input[name] = await readValue(operation, flag, value)
  }
  for (const name of positional) {
    if (name in input) continue
    const value = loose.shift()
    if (value === undefined) throw usage(operation, `<${name}> is missing`)
    const flag = flags.get(name)
    input[name] = flag?.type === 'number' ? await readValue(operation, flag, value) : value
  }
  const [extra] = loose
  if (extra !== undefined) throw usage(operation, `${extra} is one word too many`)
  return input
}

async function readValue(operation: Operation, flag: Flag, text: string): Promise<unknown> {
  if (flag.type === 'number') {
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value))
      throw usage(operation, `--${dashed(flag.name)} needs a number, not ${text}`)
    return value
  }
  if (flag.type === 'boolean') {
    if (text !== 'true' && text !== 'false') {
      throw usage(operation, `--${dashed(flag.name)} is true or false, not ${text}`)
    }
    return text === 'true'
  }
  if (flag.type === 'string') return text
  if (flag.plain === 'list' && !/^\s*[[@]/.test(text)) return text.split(',')
  const json = text.startsWith('@') ? await readFlagFile(operation, flag, text.slice(1)) : text
  try {
    return JSON.parse(json)
  } catch {
    if (!text.startsWith('@') && flag.plain === 'text') return text
    throw usage(operation, `--${dashed(flag.name)} needs JSON`)
  }
}

async function readFlagFile(operation: Operation, flag: Flag, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usage(operation, `--${dashed(flag.name)} cannot be read from ${path}: ${reason}`)
  }
}

function usage(operation: Operation, message: string): PaveError {
  return clientFailure('usage', `${operation.name}: ${message}`, { hint: `See pave ${operation.name} --help` })
}

const dashed = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const camel = (name: string) => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
