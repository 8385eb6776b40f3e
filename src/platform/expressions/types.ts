import { refuseVariable } from './errors.ts'

export type ScalarType = 'int' | 'double' | 'bool' | 'string' | 'timestamp'

/**
 * The declared type of a variable: plain data, so that it can be stored. `int?` may be null; `{ map: 'double' }` has
 * any keys, `{ fields }` exactly those; `dyn` is unknown JSON and must be converted before it is computed with.
 */
export type VariableType =
  | ScalarType
  | `${ScalarType}?`
  | 'dyn'
  | { list: VariableType }
  | { map: VariableType }
  | { fields: Variables }

export type Variables = { readonly [name: string]: VariableType }

/** A type inside a checked expression. `nullable` says that null is one of its values. */
export type Type =
  | { kind: ScalarType | 'duration' | 'null' | 'dyn'; nullable: boolean }
  | { kind: 'list' | 'map'; nullable: false; item: Type }
  | { kind: 'object'; nullable: false; fields: Variables }

export type Kind = Type['kind']

const scalarTypes: ReadonlySet<string> = new Set<ScalarType>(['int', 'double', 'bool', 'string', 'timestamp'])

/** Names that mean something in CEL or on every JavaScript object. */
const reservedNames = new Set(
  `as break const continue else for function if import let loop package namespace return var void while in true false
  null math has int double bool string timestamp duration size`.split(/\s+/),
)

function isReserved(name: string): boolean {
  return reservedNames.has(name) || name in Object.prototype
}

function isScalarType(name: string): name is ScalarType {
  return scalarTypes.has(name)
}

export function scalar(
  kind: ScalarType | 'duration' | 'null' | 'dyn',
  nullable = kind === 'null' || kind === 'dyn',
): Type {
  return { kind, nullable }
}

/** Reads a declared type; `name` is for the error message. */
export function readType(declared: VariableType, name: string): Type {
  if (typeof declared === 'string') {
    const nullable = declared.endsWith('?')
    const kind = nullable ? declared.slice(0, -1) : declared
    if (kind === 'dyn') return scalar('dyn')
    if (isScalarType(kind)) return scalar(kind, nullable)
  } else if ('list' in declared) {
    return { kind: 'list', nullable: false, item: readType(declared.list, name) }
  } else if ('map' in declared) {
    return { kind: 'map', nullable: false, item: readType(declared.map, name) }
  } else if ('fields' in declared) {
    return { kind: 'object', nullable: false, fields: declared.fields }
  }
  throw refuseVariable(`Variable \`${name}\` is declared with type ${JSON.stringify(declared)}, which is not a type.`)
}

/** Declares the variables of expressions, and refuses names that CEL cannot read. */
export function defineVariables<const T extends Variables>(variables: T): T {
  checkNames(variables, '')
  return variables
}

function checkNames(variables: Variables, prefix: string): void {
  for (const [name, declared] of Object.entries(variables)) {
    const path = prefix + name
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refuseVariable(`\`${path}\` cannot be written in CEL.`)
    if (prefix === '' && isReserved(name)) throw refuseVariable(`\`${path}\` has a meaning of its own in CEL.`)
    const type = readType(declared, path)
    if (type.kind === 'object') checkNames(type.fields, `${path}.`)
  }
}

/** How a type is called in messages. */
export function describeType(type: Type): string {
  if (type.kind === 'list') return `list of ${describeType(type.item)}`
  if (type.kind === 'map') return `map of ${describeType(type.item)}`
  if (type.kind === 'object') return 'object'
  return type.nullable && type.kind !== 'null' && type.kind !== 'dyn' ? `${type.kind}?` : type.kind
}
