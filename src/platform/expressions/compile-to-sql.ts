import { refuseExpression } from './errors.ts'
import {
  boundDoubleName,
  boundIntColumn,
  quoteString,
  type SqlDialect,
  sqlDialects,
  writeDouble,
  writeInt,
} from './sql-dialect.ts'
import { type Access, type CheckedExpression, chainOf, type Literal, type Tree } from './tree.ts'

export interface SqlNames {
  /** The quoted SQL identifier that holds a declared value, named by its dotted path. */
  column(path: string): string
}

/**
 * Writes a checked expression in SQL: one scalar expression that gives what `evaluate` gives, and NULL where that fails.
 * Timestamps come out as DuckDB's TIMESTAMP in UTC and PostgreSQL's timestamptz, ints as BIGINT, doubles as DOUBLE.
 * Throws `expression_not_portable`.
 */
export function compileToSql(checked: CheckedExpression, dialect: 'duckdb' | 'postgres', names: SqlNames): string {
  const { obstacle, text, tree, type } = checked
  if (obstacle !== undefined) {
    throw refuseExpression('expression_not_portable', text, obstacle.span, obstacle.message, obstacle.hint)
  }
  const d = sqlDialects[dialect]
  const sql = write(tree, { d, names })
  return type === 'timestamp' ? d.writeTimestamp(sql) : sql
}

interface Target {
  d: SqlDialect
  names: SqlNames
}

function write(tree: Tree, target: Target): string {
  const { d } = target
  switch (tree.kind) {
    case 'literal':
      return writeLiteral(tree, d)
    case 'access':
      return readColumn(tree, target)
    case 'call': {
      const { sql } = tree.overload
      if (sql === undefined) break
      return sql(d, ...tree.operands.map((operand) => write(operand, target)))
    }
    case 'logic':
      return `(${chainOf(tree)
        .map((side) => write(side, target))
        .join(tree.operator === '&&' ? ' AND ' : ' OR ')})`
    case 'choice': {
      const parts = [tree.condition, tree.whenTrue, tree.whenFalse].map((part) => write(part, target))
      return d.let(
        parts,
        (chosen, then, otherwise) => `CASE WHEN ${chosen} THEN ${then} WHEN NOT ${chosen} THEN ${otherwise} END`,
      )
    }
    case 'equality':
      return tree.negated ? `(NOT ${writeEquality(tree, target)})` : writeEquality(tree, target)
    case 'membership':
      return writeMembership(tree, target)
    case 'presence':
      return `(${readColumn(tree.of, target)} IS NOT NULL)`
    case 'matching': {
      // DuckDB turns simple patterns into LIKE and gets anchors in odd places wrong; an empty group stops it.
      const pattern = d.name === 'duckdb' ? `()${tree.source}` : tree.pattern.postgres
      if (pattern === undefined) break
      return d.matches(write(tree.operand, target), quoteString(pattern))
    }
  }
  throw new TypeError(`${tree.kind} has no SQL, but was checked as portable`)
}

function writeLiteral({ type, value }: Literal, d: SqlDialect): string {
  if (value === null) return writeNull(type.kind, d)
  if (typeof value === 'string') return d.text(quoteString(value))
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  return type.kind === 'double' ? writeDouble(d, value) : writeInt(d, value)
}

function writeNull(kind: string, d: SqlDialect): string {
  if (kind === 'bool') return 'CAST(NULL AS boolean)'
  if (kind === 'string') return d.text('NULL')
  return `CAST(NULL AS ${kind === 'double' ? d.double : d.integer})`
}

/** A column as the language sees it: NULL where the value is out of range, timestamps in milliseconds. */
function readColumn({ path, type }: Access, { d, names }: Target): string {
  if (path === undefined) throw new TypeError('A value without a path was checked as portable')
  const column = names.column(path)
  switch (type.kind) {
    case 'int':
      return boundIntColumn(d, column)
    case 'double':
      return boundDoubleName(d, `CAST(${column} AS ${d.double})`)
    case 'timestamp':
      return d.readTimestamp(column)
    case 'string':
      return d.text(column)
    default:
      return column
  }
}

/** Null equals null and nothing else; a failure, which is NULL too, has no answer. Only columns are both. */
function writeEquality({ left, right }: Tree & { kind: 'equality' }, target: Target): string {
  if (left.type.kind === 'null') return `(${write(right, target)} IS NULL)`
  if (right.type.kind === 'null') return `(${write(left, target)} IS NULL)`
  const a = write(left, target)
  const b = write(right, target)
  if (left.type.nullable && right.type.nullable) return `(${a} IS NOT DISTINCT FROM ${b})`
  if (!left.type.nullable && !right.type.nullable) return `(${a} = ${b})`
  const [nullable, certain] = left.type.nullable ? [a, b] : [b, a]
  return target.d.let([nullable, certain], (x, y) => `COALESCE(${x} = ${y}, ${y} <> ${y})`)
}

function writeMembership({ item, options }: Tree & { kind: 'membership' }, target: Target): string {
  const sql = write(item, target)
  if (options.length === 0) return item.type.nullable ? 'FALSE' : target.d.let([sql], (v) => `${v} <> ${v}`)
  const list = options.map((option) => writeLiteral(option, target.d)).join(', ')
  return item.type.nullable ? `COALESCE(${sql} IN (${list}), FALSE)` : `(${sql} IN (${list}))`
}
