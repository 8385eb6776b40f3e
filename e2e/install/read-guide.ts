export interface Guide {
  /** What a reader types, block after block. */
  blocks: Block[]
  /** Why the other blocks are not typed here: no Docker engine, no cluster. */
  notRun: string[]
  /** Programs of others that the blocks start. */
  needs: string[]
}

export interface Block {
  /** First line of the block in its page, for the message of a failure. */
  line: number
  /** Of a program that goes on while the next blocks run, as in a terminal of its own. */
  background?: {
    /** What it says when it is ready. */
    until: string
    /** The one before it is ended first, as by Ctrl-C. */
    again: boolean
  }
  script: string
}

/**
 * The commands of a page: fences called `sh`, or `sh background` for what stays in the foreground of a terminal of its
 * own: `sh background again` takes the terminal of the one before, and `sh background until "ready"` waits for other words
 * than those of `pave up`. The comment `<!-- needs: program -->` names what others must have installed. A fence below the comment `<!-- not run: why -->` is for other machines.
 */
export function readGuide(markdown: string): Guide {
  const needs = [...markdown.matchAll(/^<!-- needs: (.+) -->$/gm)].map(([, program = '']) => program)
  const guide: Guide = { blocks: [], notRun: [], needs }
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
      guide.blocks.push({ line: index + 2, script, ...backgroundOf(fence[2] ?? '') })
    }
    reason = undefined
    index = end
  }
  return guide
}

function backgroundOf(info: string): Pick<Block, 'background'> {
  const found = /^background( again)?(?: until "(.+)")?$/.exec(info)
  if (found === null && info !== '') throw new Error(`a fence is called "sh ${info}", which means nothing here`)
  return found === null ? {} : { background: { again: found[1] !== undefined, until: found[2] ?? 'Pave is up' } }
}
