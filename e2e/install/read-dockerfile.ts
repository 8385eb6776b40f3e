/** One `FROM` and what follows it. */
export interface Stage {
  name: string
  from: string
  instructions: Instruction[]
}

export interface Instruction {
  /** First line of it in the file, for the message of a failure. */
  line: number
  name: string
  flags: Record<string, string>
  value: string
}

/** The part of the Dockerfile's language that ours is written in. */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = []
  for (const { line, text: whole } of logicalLines(text)) {
    const [, name = '', rest = ''] = /^([A-Za-z]+)\s+(.*)$/s.exec(whole) ?? []
    const { flags, value } = takeFlags(rest)
    const stage = stages.at(-1)
    if (name === 'FROM') {
      const [from = '', , as] = value.split(/\s+/)
      stages.push({ name: as ?? String(stages.length), from, instructions: [] })
    } else if (name === '' || stage === undefined) throw new Error(`line ${line} is no instruction: ${whole}`)
    else stage.instructions.push({ line, name, flags, value })
  }
  return stages
}

/** A backslash at the end joins the next line; comments between them count for nothing. */
function logicalLines(text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const part = raw.trim()
    if (part === '' || part.startsWith('#')) continue
    const joined = open ?? { line: index + 1, text: '' }
    joined.text += part.endsWith('\\') ? `${part.slice(0, -1).trimEnd()} ` : part
    open = part.endsWith('\\') ? joined : undefined
    if (open === undefined) found.push(joined)
  }
  if (open !== undefined) throw new Error(`line ${open.line} never ends`)
  return found
}

function takeFlags(text: string): { flags: Record<string, string>; value: string } {
  const flags: Record<string, string> = {}
  let value = text
  for (;;) {
    const flag = /^--([a-z-]+)=(\S+)\s*/.exec(value)
    if (flag === null) return { flags, value }
    flags[flag[1] ?? ''] = flag[2] ?? ''
    value = value.slice(flag[0].length)
  }
}

/** `A=b C="d e" PATH=/x:$PATH`, with the variables that stand so far. */
export function readAssignments(text: string, known: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = [...text.matchAll(/([A-Za-z_][\w.-]*)=(?:"([^"]*)"|(\S*))/g)]
  return Object.fromEntries(
    pairs.map(([, name = '', quoted, plain = '']) => [
      name,
      (quoted ?? plain).replace(/\$\{?(\w+)\}?/g, (_, variable) => known[variable] ?? ''),
    ]),
  )
}

/** The list of words of `CMD ["a", "b"]`. */
export function readWords(value: string): string[] {
  const words: unknown = JSON.parse(value)
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw new Error(`${value} is not the form that runs without a shell`)
  }
  return words
}
