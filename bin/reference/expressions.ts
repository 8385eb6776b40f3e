import { overloads } from '#platform/expressions/functions.ts'
import { expressionLimits } from '#platform/expressions/parse-expression.ts'
import { table } from './table.ts'

const groups: ReadonlyArray<{ title: string; holds(signature: string): boolean }> = [
  { title: 'Arithmetic', holds: (signature) => /^(\S+ )?[-+*/%] /.test(signature) },
  { title: 'Comparison and logic', holds: (signature) => /^(\S+ )?[<>=!&|]+/.test(signature) },
  { title: 'Mathematics', holds: (signature) => signature.startsWith('math.') },
  { title: 'Time', holds: (signature) => /timestamp|duration|^(seconds|minutes|hours|days)\(/.test(signature) },
  { title: 'Text, lists and conversions', holds: () => true },
]

export function expressionsPage(): string {
  const rest = new Set(overloads)
  const sections = groups.map(({ title, holds }) => {
    const rows = [...rest]
      .filter((one) => holds(one.signature))
      .map((one) => {
        rest.delete(one)
        return [`\`${one.signature}\``, one.sql === undefined ? 'no' : 'yes', one.withoutAnswer ?? '']
      })
    return `### ${title}\n\n${table(['Signature', 'In SQL', 'No answer when'], rows)}\n`
  })
  const limits = expressionLimits
  return `# Expressions

Conditions and formulas are written in a subset of [CEL](https://cel.dev): gate rules, data rules, derived columns,
on-demand features, routes and alerts. An expression is parsed and type-checked when it is declared; the error names line
and column. It always ends, and its cost is bounded before it first runs.

## Values

Types are \`int\` (whole numbers up to 2^53), \`double\`, \`bool\`, \`string\`, \`timestamp\`, and inside an expression
\`duration\`; places that hold structured values also have lists, maps and objects with fields. Nothing converts by itself:
write \`double(x)\`, \`int(x)\`, \`string(x)\`, \`timestamp(x)\`.

Literals: \`3\`, \`2.5\`, \`'text'\`, \`true\`, \`[1, 2]\`, \`null\`, \`timestamp('2001-03-01T00:00:00Z')\`, \`duration('30m')\`.
Choices: \`condition ? a : b\`. Membership: \`x in ['a', 'b']\`. Patterns: \`text.matches('^A[0-9]+$')\` with a constant RE2
pattern. A field that may be missing: \`has(version.metrics.auc)\`.

A value that may be null is tested with \`x != null\`. What has no answer (a division by zero, a null operand, a missing key)
is an error in process and NULL in SQL; \`&&\`, \`||\` and \`? :\` decide without it where they can. A rule without an answer is
not passed.

Over lists, in process only: \`list.all(item, condition)\`, \`list.exists(item, condition)\`, \`list.filter(item, condition)\`.

## Where it runs

The same expression is evaluated in process and, where data lies in files or tables, compiled to SQL for DuckDB and
PostgreSQL. Places that need SQL refuse what has no equal there with \`expression_not_portable\`; the tables below say which
that is.

## Operators and functions

${sections.join('\n')}
## Limits

| | at most |
| --- | --- |
| Characters | ${limits.characters} |
| Names, literals, operators and calls | ${limits.parts} |
| Nesting | ${limits.depth} |
| Items of a list that is written out | ${limits.listItems} |
| Items that \`all\`, \`exists\` and \`filter\` look at | ${limits.loopItems} |
| Steps of one evaluation | ${limits.steps} |
`
}
