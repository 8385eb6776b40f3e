export interface Guide {
  /** What a reader types, block after block. */
  blocks: Block[]
  /** Why the other blocks are not typed here: no Docker engine, no cluster. */
  notRun: string[]
}

export interface Block {
  /** First line of the block in its page, for the message of a failure. */
  line: number
  /** A program that goes on while the next blocks run, as in a terminal of its own. */
  background: boolean
  script: string
}

/**
 * The commands of a page: fences called `sh`, or `sh background` for what stays in the foreground of a terminal of its
 * own. A fence below the comment `<!-- not run: why -->` is for other machines.
 */
export function readGuide(markdown: string): Guide {
  const guide: Guide = { blocks: [], notRun: [] }
  const lines = markdown.split('\n')
  let reason: string | undefined
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    reason = /^<!-- not run: (.+) -->$/.exec(line)?.[1] ?? reason
    const fence = /^```(\w*) ?(.*)$/.exec(line)
    if (fence === null) continue
    const end = lines.indexOf('```', index + 1)
    if (end === -1) throw new Error(`the fence of line ${index + 1} never ends`)
    if (fence[1] === 'sh' && reason !== undefined) guide.notRun.push(reason)
    else if (fence[1] === 'sh') {
      const script = lines.slice(index + 1, end).join('\n')
      guide.blocks.push({ line: index + 2, background: fence[2] === 'background', script })
    }
    reason = undefined
    index = end
  }
  return guide
}
