export type EntityValue = string | number | boolean

/**
 * Where the online state of one entity is: what the writer of features and the inference plane agree upon. Values under
 * another definition of the view are in another namespace, so that they are never read and can be deleted at once.
 */
export function onlineKey(workspace: string, view: string, definition: string, values: readonly EntityValue[]) {
  return { namespace: onlineNamespace(workspace, view, definition), key: entityKey(values) }
}

/** At most 175 bytes: a workspace's uuid, a view's name of up to 100 and 36 characters of its definition's digest. */
export function onlineNamespace(workspace: string, view: string, definition: string): string {
  return `${workspace}/${view}/${definition.replace(/^sha256:/, '').slice(0, 36)}`
}

/**
 * The key values in the order of the view's join keys, as a JSON array: `["a,b"]` and `["a","b"]` stay apart, and so do
 * `1` and `"1"`.
 */
export function entityKey(values: readonly EntityValue[]): string {
  return JSON.stringify(values)
}
