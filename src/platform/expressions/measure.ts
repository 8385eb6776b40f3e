import { expressionLimits } from './parse-expression.ts'
import { chainOf, type Tree } from './tree.ts'

/** The size of an expression: how deep it nests, and how many steps evaluating it takes at worst. */
export interface Size {
  depth: number
  steps: number
}

/** What a regular expression costs compared to an addition. */
const stepsOfPattern = 50

export function measure(tree: Tree): Size {
  switch (tree.kind) {
    case 'literal':
      return { depth: 0, steps: 1 }
    case 'access':
      return above(tree.steps.filter((step) => typeof step !== 'string').map(measure), 0)
    case 'call':
      return above(tree.operands.map(measure), tree.overload.depth)
    case 'logic':
      return above(chainOf(tree).map(measure))
    case 'equality':
      return above([measure(tree.left), measure(tree.right)])
    case 'choice':
      return above([tree.condition, tree.whenTrue, tree.whenFalse].map(measure))
    case 'membership':
      return above([measure(tree.item)])
    case 'containment':
      return above([measure(tree.item), measure(tree.collection)], 1, expressionLimits.loopItems)
    case 'presence':
      return above([measure(tree.of)])
    case 'matching':
      return above([measure(tree.operand)], 1, stepsOfPattern)
    case 'list':
      return above(tree.items.map(measure))
    case 'loop': {
      const list = measure(tree.list)
      const body = measure(tree.body)
      return {
        depth: Math.max(list.depth, body.depth) + 1,
        steps: list.steps + expressionLimits.loopItems * body.steps + 1,
      }
    }
  }
}

function above(parts: readonly Size[], depth = 1, steps = 1): Size {
  return {
    depth: Math.max(0, ...parts.map((part) => part.depth)) + depth,
    steps: parts.reduce((sum, part) => sum + part.steps, steps),
  }
}
