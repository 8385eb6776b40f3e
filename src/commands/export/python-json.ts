/** JSON as Python's json.dumps writes it, which MLflow compares and hashes; numbers that are kept as written stay so. */
export function pythonJson(value: unknown, options: { ascii?: boolean; sorted?: boolean } = {}): string {
  if (Array.isArray(value)) return `[${value.map((one) => pythonJson(one, options)).join(', ')}]`
  if (typeof value === 'string') return options.ascii === true ? asciiOf(JSON.stringify(value)) : JSON.stringify(value)
  if (typeof value !== 'object' || value === null || 'rawJSON' in value) return JSON.stringify(value ?? null)
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  if (options.sorted === true) entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, one]) => `${pythonJson(key, options)}: ${pythonJson(one, options)}`).join(', ')}}`
}

function asciiOf(json: string): string {
  return json.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
