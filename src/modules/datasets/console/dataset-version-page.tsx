export function DatasetVersionPage() {
  return null
}
